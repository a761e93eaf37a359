"""Ways in which gold gets into a public copy; each says which file it is in.

A way takes the copy's folder and the full benchmark, and returns the file's name.
"""

import base64
import bz2
import codecs
import gzip
import hashlib
import io
import json
import lzma
import os
import shutil
import tarfile
import zipfile
from urllib.parse import quote

import numpy as np

from harness.files import canonical, zstd

WAYS = {}


def way(function):
    WAYS[function.__name__] = function
    return function


def gold_bytes(full, split="test"):
    return (full.folder / split / "gold.jsonl").read_bytes()


def gold_rows(full, split="test"):
    return [json.loads(line) for line in gold_bytes(full, split).splitlines()]


def put(copy, name, data):
    (copy / name).parent.mkdir(parents=True, exist_ok=True)
    (copy / name).write_bytes(data if isinstance(data, bytes) else data.encode())
    return name


def change(copy, name, edit, at=0):
    """Edit one line of a JSONL file, and write it as the harness does."""
    lines = (copy / name).read_bytes().splitlines()
    row = json.loads(lines[at])
    lines[at] = canonical(edit(row) or row)
    (copy / name).write_bytes(b"".join(line + b"\n" for line in lines))
    return name


def change_header(copy, edit):
    header = json.loads((copy / "benchmark.json").read_bytes())
    edit(header)
    (copy / "benchmark.json").write_text(json.dumps(header, indent=2, sort_keys=True) + "\n")
    return "benchmark.json"


# Whole files, as they are or in another form.


@way
def gold_itself(copy, full):
    return put(copy, "test/gold.jsonl", gold_bytes(full))


@way
def gold_of_the_other_hidden_split(copy, full):
    return put(copy, "val/gold.jsonl", gold_bytes(full, "val"))


@way
def reference_answers(copy, full):
    rows = [{key: row[key] for key in ("dialogue_id", "turn", "answer", "video_id")}
            for row in gold_rows(full)]  # fmt: skip
    return put(copy, "test/reference.jsonl", b"".join(canonical(row) + b"\n" for row in rows))


@way
def gold_renamed(copy, full):
    return put(copy, "test/notes.txt", gold_bytes(full))


@way
def gold_in_a_hidden_file(copy, full):
    return put(copy, "test/.cache", gold_bytes(full))


@way
def gold_of_an_editor(copy, full):
    return put(copy, "test/gold.jsonl~", gold_bytes(full))


@way
def imported_file(copy, full):
    name = full.header.sources[0].file
    return put(copy, f"source/{name}", (full.folder / "source" / name).read_bytes())


@way
def gzipped(copy, full):
    return put(copy, "test/data.bin", gzip.compress(gold_bytes(full)))


@way
def zstandard(copy, full):
    return put(copy, "test/data.zst", zstd.compress(gold_bytes(full)))


@way
def bzipped(copy, full):
    return put(copy, "d.bz2", bz2.compress(gold_bytes(full)))


@way
def xz(copy, full):
    return put(copy, "d.xz", lzma.compress(gold_bytes(full)))


@way
def zipped(copy, full):
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("inner.txt", gold_bytes(full))
    return put(copy, "more.zip", stream.getvalue())


@way
def gzipped_in_a_tar_in_a_zip(copy, full):
    tar = io.BytesIO()
    with tarfile.open(fileobj=tar, mode="w:gz") as archive:
        info = tarfile.TarInfo("a")
        info.size = len(gold_bytes(full))
        archive.addfile(info, io.BytesIO(gold_bytes(full)))
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as outer:
        outer.writestr("b.tgz", tar.getvalue())
    return put(copy, "train/more.dat", stream.getvalue())


@way
def npz_of_texts(copy, full):
    stream = io.BytesIO()
    rows = gold_rows(full)
    np.savez_compressed(stream, turn=np.array([row["dialogue_id"] for row in rows]),
                        video=np.array([row["video_id"] or "" for row in rows]))  # fmt: skip
    return put(copy, "features.npz", stream.getvalue())


@way
def npz_of_spans(copy, full):
    stream = io.BytesIO()
    spans = [row["moment"] for row in gold_rows(full) if row["moment"]]
    np.savez(stream, x=np.array(spans))
    return put(copy, "features.npz", stream.getvalue())


@way
def in_base64(copy, full):
    return put(copy, "readme.md", base64.encodebytes(gold_bytes(full)))


@way
def in_base64_for_addresses_without_padding(copy, full):
    return put(copy, "token", base64.urlsafe_b64encode(gold_bytes(full)).rstrip(b"="))


@way
def gzipped_in_base64(copy, full):
    return put(copy, "token", base64.b64encode(gzip.compress(gold_bytes(full))))


@way
def in_base32(copy, full):
    return put(copy, "token", base64.b32encode(gold_bytes(full)))


@way
def in_base85(copy, full):
    return put(copy, "token", base64.b85encode(gold_bytes(full)))


@way
def in_hexadecimal(copy, full):
    return put(copy, "dump", gold_bytes(full).hex(" "))


@way
def in_utf_16(copy, full):
    return put(copy, "table.txt", gold_bytes(full).decode().encode("utf-16"))


@way
def chinese_in_utf_16(copy, full):
    text = "".join(f"答案在这里{row['dialogue_id']}，没有别的\n" for row in gold_rows(full))
    return put(copy, "table.txt", text.encode("utf-16"))


@way
def percent_encoded(copy, full):
    return put(copy, "link", quote(gold_bytes(full), safe=""))


@way
def backwards(copy, full):
    return put(copy, "x", gold_bytes(full).decode()[::-1])


@way
def letters_moved(copy, full):
    return put(copy, "x", codecs.encode(gold_bytes(full).decode(), "rot13"))


@way
def capitals_and_invisible_marks(copy, full):
    text = gold_bytes(full).decode().upper()
    return put(copy, "x", "".join(letter + "\u200b" for letter in text))


@way
def spans_as_a_table(copy, full):
    rows = [row["moment"] for row in gold_rows(full) if row["moment"]]
    return put(copy, "times.csv", "".join(f"{start},{end}\n" for start, end in rows))


@way
def spans_in_milliseconds(copy, full):
    rows = [row["moment"] for row in gold_rows(full) if row["moment"]]
    return put(copy, "t", "".join(f"{start * 1000:.0f}-{end * 1000:.0f}\n" for start, end in rows))


@way
def videos_as_a_column(copy, full):
    rows = [row["video_id"] for row in gold_rows(full) if row["video_id"]]
    return put(copy, "column.txt", "\n".join(rows))


@way
def hash_of_the_gold(copy, full):
    return put(copy, "SHA256SUMS", f"{hashlib.sha256(gold_bytes(full)).hexdigest()}  gold.jsonl\n")


@way
def hashes_of_lines(copy, full):
    lines = (hashlib.sha1(line).hexdigest() for line in gold_bytes(full).splitlines())
    return put(copy, "sums", "\n".join(lines))


# Spare room in files that belong there.


@way
def spare_column_of_turns(copy, full):
    video = gold_rows(full)[0]["video_id"]
    return change(copy, "test/turns.jsonl", lambda row: row | {"target": video})


@way
def spare_column_of_candidates(copy, full):
    return change(copy, "test/candidates.jsonl", lambda row: row | {"label": 3})


@way
def tags_of_turns(copy, full):
    return change(copy, "test/turns.jsonl", lambda row: row | {"tags": ["order"]})


@way
def foil_of_a_turn(copy, full):
    return change(copy, "val/turns.jsonl", lambda row: row | {"foil": row["dialogue_id"]})


@way
def utterance_with_its_answer(copy, full):
    answer = gold_rows(full)[0]["answer"]
    return change(copy, "test/turns.jsonl", lambda row: row.update(utterance=f"x ({answer})"))


@way
def utterance_with_its_video(copy, full):
    name = gold_rows(full)[0]["video_id"].removeprefix("Films/").removesuffix(".mp4")
    return change(copy, "test/turns.jsonl", lambda row: row.update(utterance=f"find {name}"))


@way
def utterance_with_its_span(copy, full):
    at, row = next((at, row) for at, row in enumerate(gold_rows(full)) if row["moment"])
    said = "when? {}s to {}s".format(*row["moment"])
    return change(copy, "test/turns.jsonl", lambda line: line.update(utterance=said), at)


@way
def type_of_a_turn(copy, full):
    return change(copy, "test/turns.jsonl", lambda row: row.update(type=7))


@way
def text_of_a_video(copy, full):
    turn = gold_rows(full)[0]["dialogue_id"]
    return change(copy, "videos.jsonl", lambda row: row["text"].update(note=f"see {turn}"), 3)


@way
def text_of_a_video_in_base64(copy, full):
    text = base64.b64encode(gold_rows(full)[0]["dialogue_id"].encode()).decode()
    return change(copy, "videos.jsonl", lambda row: row["text"].update(note=text), 3)


@way
def path_of_a_video(copy, full):
    turn = gold_rows(full)[0]["dialogue_id"]
    return change(copy, "videos.jsonl", lambda row: row.update(path=f"videos/{turn}.mp4"), 3)


@way
def gold_first_among_candidates(copy, full):
    right = {(row["dialogue_id"], row["turn"]): row["video_id"] for row in gold_rows(full)}
    lines = []
    for line in (copy / "test/candidates.jsonl").read_bytes().splitlines():
        row = json.loads(line)
        row["candidates"].sort(key=lambda name: name != right[row["dialogue_id"], row["turn"]])
        lines.append(canonical(row) + b"\n")
    return put(copy, "test/candidates.jsonl", b"".join(lines))


@way
def gold_twice_among_candidates(copy, full):
    video = gold_rows(full)[0]["video_id"]
    name = "test/candidates.jsonl"
    return change(copy, name, lambda row: row["candidates"].append(video))


@way
def corpus_in_the_order_of_gold(copy, full):
    first = dict.fromkeys(row["video_id"] for row in gold_rows(full) if row["video_id"])
    names = (copy / "test/corpus.txt").read_text().split()
    names.sort(key=lambda name: list(first).index(name) if name in first else 999)
    return put(copy, "test/corpus.txt", "".join(f"{name}\n" for name in names))


@way
def videos_in_the_order_of_gold(copy, full):
    first = list(dict.fromkeys(row["video_id"] for row in gold_rows(full) if row["video_id"]))
    lines = (copy / "videos.jsonl").read_bytes().splitlines(keepends=True)
    lines.sort(key=lambda line: (*first, json.loads(line)["video_id"]).index(
        json.loads(line)["video_id"]))  # fmt: skip
    return put(copy, "videos.jsonl", b"".join(lines))


@way
def spaces_of_a_line(copy, full):
    data = (copy / "test/turns.jsonl").read_bytes()
    return put(copy, "test/turns.jsonl", data.replace(b"}\n", b"} \n", 1))


@way
def lines_behind_the_last(copy, full):
    name = "test/corpus.txt"
    return put(copy, name, (copy / name).read_bytes() + gold_bytes(full))


@way
def key_of_the_header(copy, full):
    return change_header(copy, lambda header: header.update(gold=gold_rows(full)))


@way
def name_of_the_benchmark(copy, full):
    return change_header(copy, lambda header: header.update(name=gold_rows(full)[0]["dialogue_id"]))


@way
def hash_in_the_header(copy, full):
    gold = full.header.gold_sha256["test"]
    return change_header(copy, lambda header: header["gold_sha256"].update(test=gold))


@way
def name_of_a_type(copy, full):
    answer = gold_rows(full)[0]["dialogue_id"]
    return change_header(copy, lambda header: header["type_names"].update({"4": answer}))


@way
def labels_of_train(copy, full):
    row = gold_rows(full)[0]
    lines = (copy / "train/gold.jsonl").read_bytes() + canonical(row) + b"\n"
    return put(copy, "train/gold.jsonl", lines)


@way
def tags_of_train(copy, full):
    turn = gold_rows(full)[0]["dialogue_id"]
    return change(copy, "train/gold.jsonl", lambda row: row.update(tags=[turn]))


@way
def events_of_train(copy, full):
    return put(copy, "train/events.jsonl", gold_bytes(full))


# Floors.


@way
def floor_scores(copy, full):
    name = "floors/candidate_vote/own/scores.json"
    return put(copy, name, (full.folder / name).read_bytes())


@way
def floor_outcomes(copy, full):
    floor = "floors/candidate_vote/own"
    name = f"{floor}/scores.outcomes.npz"
    stream = io.BytesIO()
    np.savez(stream, rank=np.arange(9))
    return put(copy, name, stream.getvalue())


@way
def floor_with_reference_history(copy, full):
    floor = copy / "floors" / "candidate_vote"
    shutil.copytree(floor / "own", floor / "reference")
    return "floors/candidate_vote/reference/card.toml"


@way
def floor_of_a_new_name(copy, full):
    source = copy / "floors" / "candidate_vote" / "own"
    shutil.copytree(source, copy / "floors" / "oracle" / "own")
    return "floors/oracle/own/card.toml"


@way
def card_of_a_floor(copy, full):
    name = "floors/random/own/card.toml"
    turn = gold_rows(full)[0]["dialogue_id"]
    return put(copy, name, (copy / name).read_text() + f"# {turn}\n")


@way
def predictions_of_a_floor(copy, full):
    lines = [canonical({"dialogue_id": row["dialogue_id"], "turn": row["turn"],
                        "videos": [row["video_id"]]}) for row in gold_rows(full)
             if row["video_id"]]  # fmt: skip
    name = "floors/random/own/predictions.jsonl.zst"
    return put(copy, name, zstd.compress(b"\n".join(lines)))


# What is no file's content.


@way
def name_of_a_file(copy, full):
    row = gold_rows(full)[0]
    return put(copy, f"videos/{row['dialogue_id']} is {row['video_id'].replace('/', '-')}", b"")


@way
def name_of_a_folder(copy, full):
    name = gold_rows(full)[0]["dialogue_id"]
    (copy / name).mkdir()
    return name


@way
def link_to_the_full_benchmark(copy, full):
    (copy / "test" / "more").symlink_to(full.folder)
    return "test/more"


@way
def link_in_place_of_a_file(copy, full):
    (copy / "test" / "corpus.txt").unlink()
    (copy / "test" / "corpus.txt").symlink_to(full.folder / "test" / "gold.jsonl")
    return "test/corpus.txt"


@way
def folder_of_the_organizers(copy, full):
    return put(copy, "videos_root.txt", f"{full.folder}\n")


@way
def extended_attribute(copy, full):
    os.setxattr(copy / "test" / "corpus.txt", "user.note", gold_rows(full)[0]["answer"].encode())
    return "test/corpus.txt"
