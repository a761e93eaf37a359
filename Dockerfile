# The command `ivcr` in an image: a stage that installs it, and one that has no more than what runs.
#
#     docker build --tag ivcr .                                  validation, scores, boards, BM25
#     docker build --tag ivcr --build-arg EXTRAS=baselines .     what is trained, too (with torch)
#     docker run --rm --volume "$PWD:/work" --user "$(id -u):$(id -g)" ivcr validate my-run --benchmark mini
#
# It has been linted (hadolint, in .ci/packages) and never been built: there is no Docker where the
# project is made. The lock was resolved on this version of Python.
ARG PYTHON=3.11

FROM python:${PYTHON}-slim AS install
ARG EXTRAS=""
WORKDIR /source
COPY pyproject.toml constraints.txt README.md LICENSE ./
COPY harness harness
COPY baselines baselines
COPY leaderboard leaderboard
RUN python -m venv /opt/ivcr \
    && /opt/ivcr/bin/pip install --no-cache-dir --constraint constraints.txt ".${EXTRAS:+[$EXTRAS]}"

FROM python:${PYTHON}-slim
LABEL org.opencontainers.image.title="ivcr" \
      org.opencontainers.image.description="Benchmark harness and leaderboard for interactive video search" \
      org.opencontainers.image.licenses="Apache-2.0"
RUN useradd --create-home --uid 10001 ivcr \
    && mkdir /work /cache \
    && chown ivcr:ivcr /work /cache
COPY --from=install /opt/ivcr /opt/ivcr
ENV PATH="/opt/ivcr/bin:$PATH" \
    IVCR_CACHE=/cache \
    PYTHONUNBUFFERED=1
USER 10001
WORKDIR /work
ENTRYPOINT ["ivcr"]
CMD ["--help"]
