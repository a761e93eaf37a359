"""Randomly initialised checkpoints of a few thousand weights, saved in their true formats."""

import json
from itertools import pairwise

import torch
from safetensors.torch import load_file, save_file
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers
from transformers import (
    BertConfig,
    BertModel,
    BertTokenizer,
    ChineseCLIPConfig,
    ChineseCLIPModel,
    CLIPConfig,
    CLIPImageProcessorPil,
    CLIPModel,
    CLIPTokenizer,
    LlavaConfig,
    LlavaForConditionalGeneration,
    LlavaProcessor,
    PreTrainedTokenizerFast,
    Qwen2VLConfig,
    Qwen2VLForConditionalGeneration,
    Siglip2Config,
    Siglip2Model,
    SiglipConfig,
    SiglipModel,
    T5Config,
    T5Model,
    ViTConfig,
    ViTModel,
    XLMRobertaConfig,
    XLMRobertaModel,
)

SIDE, PATCH, WIDTH = 32, 8, 16
IDEOGRAPHS = "一只猫狗在沙发上睡觉滩奔跑雪里的狐狸找什么时候"
LETTERS = "abcdefghijklmnopqrstuvwxyz?.,'"
_SIZES = {
    "hidden_size": WIDTH,
    "intermediate_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
}


def _model(kind, config, seed):
    """A model whose weights are large enough for its outputs to differ from input to input."""
    torch.manual_seed(seed)
    model = kind(config)
    with torch.no_grad():
        for name, weight in model.named_parameters():
            if weight.dim() > 1:
                weight.normal_(std=0.3)
            elif "logit" not in name and "norm" not in name.lower():
                weight.normal_(std=0.1)
    return model.eval()


def _preprocessor(folder, **fields):
    told = {"image_mean": [0.5, 0.4, 0.3], "image_std": [0.3, 0.25, 0.2], "resample": 3, **fields}
    (folder / "preprocessor_config.json").write_text(json.dumps(told))


def byte_vocabulary():
    """CLIP's byte-level alphabet: every byte, inside a word and at its end, and two marks."""
    signs = sorted(pre_tokenizers.ByteLevel.alphabet())
    tokens = [*signs, *(f"{sign}</w>" for sign in signs), "<|startoftext|>", "<|endoftext|>"]
    return {token: number for number, token in enumerate(tokens)}


def clip(folder, seed=0, side=SIDE, longest=77):
    """openai/clip-like: byte-level BPE, a preprocessor file in the oldest form."""
    folder.mkdir(parents=True, exist_ok=True)
    vocabulary = byte_vocabulary()
    end = vocabulary["<|endoftext|>"]
    config = CLIPConfig(
        text_config={**_SIZES, "vocab_size": len(vocabulary), "max_position_embeddings": longest,
                     "bos_token_id": end - 1, "eos_token_id": end, "pad_token_id": end},
        vision_config={**_SIZES, "image_size": side, "patch_size": PATCH},
        projection_dim=WIDTH,
    )  # fmt: skip
    _model(CLIPModel, config, seed).save_pretrained(folder)
    CLIPTokenizer(vocab=vocabulary, merges=[], model_max_length=longest).save_pretrained(folder)
    _preprocessor(folder, feature_extractor_type="CLIPFeatureExtractor", do_center_crop=True,
                  do_normalize=True, do_resize=True, size=side, crop_size=side)  # fmt: skip
    return folder


def chinese_clip(folder, seed=0):
    """OFA-Sys/chinese-clip-like: a BERT with a vocabulary of characters."""
    folder.mkdir(parents=True, exist_ok=True)
    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *IDEOGRAPHS, *LETTERS,
             *(f"##{letter}" for letter in LETTERS)]  # fmt: skip
    config = ChineseCLIPConfig(
        text_config={**_SIZES, "vocab_size": len(words), "max_position_embeddings": 40},
        vision_config={**_SIZES, "image_size": SIDE, "patch_size": PATCH},
        projection_dim=WIDTH,
    )
    _model(ChineseCLIPModel, config, seed).save_pretrained(folder)
    BertTokenizer(vocab={word: at for at, word in enumerate(words)}).save_pretrained(folder)
    _preprocessor(folder, image_processor_type="ChineseCLIPImageProcessor", do_center_crop=False,
                  size={"height": SIDE, "width": SIDE})  # fmt: skip
    return folder


def unigrams():
    """A fast tokenizer as SigLIP 2 has it: sub-words, an end mark, padding to the left out."""
    signs = ["<pad>", "<eos>", "<unk>", "▁", *LETTERS, *IDEOGRAPHS]
    tokenizer = Tokenizer(models.Unigram([(sign, -1.0) for sign in signs], unk_id=2))
    tokenizer.normalizer = normalizers.Lowercase()
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    tokenizer.decoder = decoders.Metaspace()
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, pad_token="<pad>", eos_token="<eos>", unk_token="<unk>",
        model_max_length=24, model_input_names=["input_ids"],
    ), len(signs)  # fmt: skip


def siglip(folder, seed=0):
    """google/siglip2-base-patch16-224-like: a SigLIP model with the newer tokenizer."""
    folder.mkdir(parents=True, exist_ok=True)
    tokenizer, size = unigrams()
    config = SiglipConfig(
        text_config={**_SIZES, "vocab_size": size, "max_position_embeddings": 24,
                     "projection_size": WIDTH},
        vision_config={**_SIZES, "image_size": SIDE, "patch_size": PATCH},
    )  # fmt: skip
    _model(SiglipModel, config, seed).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    _preprocessor(folder, image_processor_type="SiglipImageProcessor",
                  size={"height": SIDE, "width": SIDE})  # fmt: skip
    return folder


def siglip2(folder, seed=0):
    """google/siglip2-base-patch16-naflex-like: rows of patches of a flexible resolution."""
    folder.mkdir(parents=True, exist_ok=True)
    tokenizer, size = unigrams()
    config = Siglip2Config(
        text_config={**_SIZES, "vocab_size": size, "max_position_embeddings": 24,
                     "projection_size": WIDTH},
        vision_config={**_SIZES, "num_patches": (SIDE // PATCH) ** 2, "patch_size": PATCH},
    )  # fmt: skip
    _model(Siglip2Model, config, seed).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    _preprocessor(folder, image_processor_type="Siglip2ImageProcessor", patch_size=PATCH,
                  max_num_patches=(SIDE // PATCH) ** 2)  # fmt: skip
    return folder


def bert(folder, seed=0):
    """A model of texts alone."""
    folder.mkdir(parents=True, exist_ok=True)
    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *IDEOGRAPHS, *LETTERS,
             *(f"##{letter}" for letter in LETTERS)]  # fmt: skip
    config = BertConfig(**_SIZES, vocab_size=len(words), max_position_embeddings=64)
    _model(BertModel, config, seed).save_pretrained(folder)
    BertTokenizer(vocab={word: at for at, word in enumerate(words)}).save_pretrained(folder)
    return folder


def xlm_roberta(folder, seed=0):
    """FacebookAI/xlm-roberta-base-like: sub-words; positions begin behind that of the padding."""
    folder.mkdir(parents=True, exist_ok=True)
    tokenizer, size = unigrams()
    config = XLMRobertaConfig(**_SIZES, vocab_size=size, pad_token_id=0, max_position_embeddings=26)
    _model(XLMRobertaModel, config, seed).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def t5(folder, seed=0):
    """google/mt5-small-like: an encoder, and a decoder that nobody asks."""
    folder.mkdir(parents=True, exist_ok=True)
    tokenizer, size = unigrams()
    config = T5Config(d_model=WIDTH, d_kv=8, d_ff=32, num_layers=2, num_heads=2, vocab_size=size)
    _model(T5Model, config, seed).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def vit(folder, seed=0):
    """A model of pictures alone, beside a tokenizer that does not belong to it."""
    folder.mkdir(parents=True, exist_ok=True)
    _model(ViTModel, ViTConfig(**_SIZES, image_size=SIDE, patch_size=PATCH), seed).save_pretrained(
        folder
    )
    unigrams()[0].save_pretrained(folder)
    return folder


def sentences(folder, seed=0, *more):
    """A sentence-transformers checkpoint: a BERT, mean pooling, `more` modules, unit length."""
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import Normalize, Pooling, Transformer

    inner = Transformer(str(bert(folder.with_name(folder.name + "-bert"), seed)))
    parts = [inner, Pooling(WIDTH, pooling_mode="mean"), *more, Normalize()]
    SentenceTransformer(modules=parts, device="cpu").save(str(folder))
    return folder


def tamper(file, what):
    """Damage a safetensors file; returns the name that its refusal should tell.

    what: "lacks" a tensor, "holds" one more, one is of another "shape", the file is "cut".
    """
    if what == "cut":
        file.write_bytes(file.read_bytes()[:-100])
        return file.name
    weights = load_file(file)
    name = next(name for name in sorted(weights) if not name.endswith("position_ids"))
    if what == "holds":
        name += ".added"
    tensor = weights.pop(name, None)
    if what != "lacks":
        weights[name] = torch.ones(5, 3) if tensor is None else tensor.flatten()[1:].clone()
    save_file(weights, file, {"format": "pt"})
    return name


# "role: what is said", one a line; pictures where they stand.
CHAT = (
    "{% for message in messages %}{{ message['role'] }}: "
    "{% if message['content'] is string %}{{ message['content'] }}"
    "{% else %}{% for part in message['content'] %}"
    "{% if part['type'] == 'text' %}{{ part['text'] }}{% else %}<image>{% endif %}"
    "{% endfor %}{% endif %}\n{% endfor %}"
    "{% if add_generation_prompt %}assistant:{% endif %}"
)


def llava(folder, seed=0, saying=None, longest=16_384):
    """llava-hf/llava-1.5-7b-hf-like: a CLIP's eyes, a Llama of bytes.

    saying: what it says whatever it is asked, without a sign twice; None: it depends on all.
    """
    folder.mkdir(parents=True, exist_ok=True)
    signs = ["<pad>", "<s>", "</s>", "<image>", *sorted(pre_tokenizers.ByteLevel.alphabet())]
    places = {sign: at for at, sign in enumerate(signs)}
    inner = Tokenizer(models.BPE(places, [], unk_token=None))
    inner.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    inner.decoder = decoders.ByteLevel()
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=inner, pad_token="<pad>", bos_token="<s>", eos_token="</s>",
        model_max_length=longest, extra_special_tokens={"image_token": "<image>"},
    )  # fmt: skip
    config = LlavaConfig(
        vision_config={**_SIZES, "model_type": "clip_vision_model", "image_size": SIDE,
                       "patch_size": PATCH, "projection_dim": WIDTH},
        text_config={**_SIZES, "hidden_size": 64, "model_type": "llama", "vocab_size": len(signs),
                     "max_position_embeddings": longest, "bos_token_id": 1, "eos_token_id": 2,
                     "pad_token_id": 0, "tie_word_embeddings": False},
        image_token_index=3, image_seq_length=(SIDE // PATCH) ** 2, pad_token_id=0,
        tie_word_embeddings=False,
    )  # fmt: skip
    model = _model(LlavaForConditionalGeneration, config, seed)
    if saying is not None:
        _made_to_say(model, [places[":"], *(places[s] for s in saying.replace(" ", "Ġ")), 2])
    model.generation_config.eos_token_id = 2
    model.generation_config.pad_token_id = 0
    model.save_pretrained(folder)
    eyes = CLIPImageProcessorPil(size={"shortest_edge": SIDE}, crop_size=SIDE)
    LlavaProcessor(
        eyes, tokenizer, patch_size=PATCH, vision_feature_select_strategy="default",
        num_additional_image_tokens=1, chat_template=CHAT,
    ).save_pretrained(folder)  # fmt: skip
    return folder


def qwen2_vl(folder, seed=0, longest=16_384):
    """Qwen/Qwen2-VL-2B-Instruct-like: a picture is as many patches as it is large."""
    folder.mkdir(parents=True, exist_ok=True)
    marks = ["<|endoftext|>", "<|im_end|>", "<|vision_start|>", "<|vision_end|>", "<|image_pad|>",
             "<|video_pad|>"]  # fmt: skip
    signs = [*marks, *sorted(pre_tokenizers.ByteLevel.alphabet())]
    inner = Tokenizer(models.BPE({sign: at for at, sign in enumerate(signs)}, [], unk_token=None))
    inner.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    inner.decoder = decoders.ByteLevel()
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=inner, pad_token=marks[0], eos_token=marks[1], model_max_length=longest,
        additional_special_tokens=marks[2:],
    )  # fmt: skip
    tokenizer.chat_template = CHAT.replace("<image>", "".join([marks[2], marks[4], marks[3]]))
    tokenizer.save_pretrained(folder)
    config = Qwen2VLConfig(
        text_config={**_SIZES, "hidden_size": 64, "vocab_size": len(signs), "bos_token_id": 0,
                     "num_key_value_heads": 2, "eos_token_id": 1, "pad_token_id": 0,
                     "max_position_embeddings": longest,
                     "rope_parameters": {"rope_type": "default", "rope_theta": 10_000.0,
                                         "mrope_section": [4, 6, 6]}},
        vision_config={"depth": 2, "embed_dim": 32, "hidden_size": 64, "num_heads": 2,
                       "patch_size": PATCH, "spatial_merge_size": 2, "temporal_patch_size": 2},
        image_token_id=4, video_token_id=5, vision_start_token_id=2, vision_end_token_id=3,
    )  # fmt: skip
    model = _model(Qwen2VLForConditionalGeneration, config, seed)
    model.generation_config.eos_token_id, model.generation_config.pad_token_id = 1, 0
    model.save_pretrained(folder)
    _preprocessor(folder, image_processor_type="Qwen2VLImageProcessor", patch_size=PATCH,
                  processor_class="Qwen2VLProcessor", merge_size=2, temporal_patch_size=2,
                  min_pixels=256, max_pixels=4096)  # fmt: skip
    return folder


def _made_to_say(model, chain):
    """Let every token of `chain` be followed by the next: layers add nothing, the head tells."""
    text = model.model.language_model
    with torch.no_grad():
        for layer in text.layers:
            layer.self_attn.o_proj.weight.zero_()
            layer.mlp.down_proj.weight.zero_()
        seen = torch.nn.functional.normalize(text.embed_tokens.weight, dim=-1)
        text.norm.weight.fill_(1.0)
        model.lm_head.weight.zero_()
        for this, after in pairwise(chain):
            model.lm_head.weight[after] = 20 * seen[this]
