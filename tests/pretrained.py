"""A made-up pretrained tokenizer and small encoders, as files of Hugging Face's libraries."""

import json
from pathlib import Path

from textmill import tokenizers
from textmill.files import write_json
from textmill.tokenizers.pretrained import ENCODER, PretrainedTokenizer

# As in BERT's: the special tokens are between the others.
PIECES = ["[PAD]", "the", "film", "##s", "was", "bad", "n", "##ai", "##ive", "日", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
PIECES += ["[", "]", "<", ">", "!", "a", "b", "word", "one", "pad", "un", "##k", "sep", "cafe"]
PIECES += [f"w{number}" for number in range(10)]  # 38 with those above


def word_pieces() -> dict:
    """Returns a tokenizer.json like BERT's, including padding and truncation."""
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors

    vocabulary = {piece: number for number, piece in enumerate(PIECES)}
    library = Tokenizer(models.WordPiece(vocabulary, unk_token="[UNK]", max_input_chars_per_word=100))
    library.normalizer, library.pre_tokenizer = normalizers.BertNormalizer(), pre_tokenizers.BertPreTokenizer()
    library.add_special_tokens(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"])
    frame = [("[CLS]", 11), ("[SEP]", 12)]
    library.post_processor = processors.TemplateProcessing("[CLS] $A [SEP]", special_tokens=frame)
    library.enable_padding(length=16)
    library.enable_truncation(8)
    return json.loads(library.to_str())


def byte_pairs() -> dict:
    """Returns a tokenizer.json like RoBERTa's: byte pairs, which may include a space."""
    from tokenizers import Tokenizer, models, pre_tokenizers, processors

    vocabulary = {token: number for number, token in enumerate(["<s>", "<pad>", "</s>", "<unk>"])}
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    vocabulary |= {byte: number + 4 for number, byte in enumerate(alphabet)}
    merges = [("Ġ", "f"), ("i", "l"), ("Ġf", "il"), ("Ġ", "Ġ")]
    vocabulary |= {a + b: len(vocabulary) + number for number, (a, b) in enumerate(merges)}
    library = Tokenizer(models.BPE(vocabulary, merges))
    library.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    library.add_special_tokens(["<s>", "<pad>", "</s>", "<unk>"])
    library.post_processor = processors.RobertaProcessing(("</s>", 2), ("<s>", 0))
    return json.loads(library.to_str())


def unigrams() -> dict:
    """Returns a tokenizer.json like XLM-R's, whose special tokens are pieces like the others."""
    from tokenizers import Tokenizer, models, pre_tokenizers, processors

    pieces = [("<s>", 0.0), ("<pad>", 0.0), ("</s>", 0.0), ("<unk>", 0.0), ("▁", -2.0)]
    pieces += [(character, -4.0) for character in "abfilmst<>/"] + [("▁film", -3.0), ("▁a", -3.0)]
    library = Tokenizer(models.Unigram(pieces, unk_id=3))
    library.pre_tokenizer = pre_tokenizers.Metaspace()
    library.add_special_tokens(["<s>", "<pad>", "</s>", "<unk>"])
    frame = [("<s>", 0), ("</s>", 2)]
    library.post_processor = processors.TemplateProcessing("<s> $A </s>", special_tokens=frame)
    return json.loads(library.to_str())


SIZES = {"vocab_size": 40, "max_position_embeddings": 48}
BERT = SIZES | {"hidden_size": 8, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 16}
CONFIGS = {
    "bert": BERT | {"model_type": "bert"},
    "distilbert": SIZES | {"model_type": "distilbert", "dim": 8, "n_layers": 2, "n_heads": 2, "hidden_dim": 16},
    "roberta": BERT | {"model_type": "roberta", "pad_token_id": 1, "max_position_embeddings": 50},
    "xlm-roberta": BERT | {"model_type": "xlm-roberta", "pad_token_id": 1, "max_position_embeddings": 50},
}


def encoder(folder: Path, kind: str = "bert") -> Path:
    """Writes a folder like the hub's: tokenizer.json, config.json, and random weights under the usual names."""
    import torch
    from safetensors.torch import save_file
    from transformers import AutoConfig, AutoModelForMaskedLM

    torch.manual_seed(1)
    model = AutoModelForMaskedLM.from_config(AutoConfig.for_model(**CONFIGS[kind]))
    write_json(folder / "config.json", CONFIGS[kind])
    write_json(folder / "tokenizer.json", word_pieces())
    save_file({name: weight.clone() for name, weight in model.state_dict().items()}, folder / "model.safetensors")
    return folder


def vocab(folder: Path, kind: str = "bert") -> Path:
    """Writes what the stage vocab makes of it: the tokenizer's file, and the encoder's folder, which it returns."""
    source = encoder(folder / "source", kind)
    found = PretrainedTokenizer.from_spec({"markup": "keep", "tokenizers": word_pieces()})
    tokenizers.save(folder / "vocab/tokenizer.json", found)
    (folder / "vocab/encoder").mkdir()
    for name in ENCODER:
        (source / name).rename(folder / "vocab/encoder" / name)
    return folder / "vocab/encoder"
