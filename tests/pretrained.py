"""A pretrained tokenizer and encoders of a few weights, made up, as files of Hugging Face's libraries."""

import json

# In the manner of BERT's: the special tokens lie between the others.
PIECES = ["[PAD]", "the", "film", "##s", "was", "bad", "n", "##ai", "##ive", "日", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
PIECES += ["[", "]", "<", ">", "!", "a", "b", "word", "one", "pad", "un", "##k", "sep", "cafe"]


def word_pieces() -> dict:
    """A tokenizer.json of BERT's kind, padding and truncation included."""
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
    """A tokenizer.json of RoBERTa's kind: pairs of bytes, which a space belongs to."""
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
    """A tokenizer.json of XLM-R's kind, whose special tokens are pieces like the others."""
    from tokenizers import Tokenizer, models, pre_tokenizers, processors

    pieces = [("<s>", 0.0), ("<pad>", 0.0), ("</s>", 0.0), ("<unk>", 0.0), ("▁", -2.0)]
    pieces += [(character, -4.0) for character in "abfilmst<>/"] + [("▁film", -3.0), ("▁a", -3.0)]
    library = Tokenizer(models.Unigram(pieces, unk_id=3))
    library.pre_tokenizer = pre_tokenizers.Metaspace()
    library.add_special_tokens(["<s>", "<pad>", "</s>", "<unk>"])
    frame = [("<s>", 0), ("</s>", 2)]
    library.post_processor = processors.TemplateProcessing("<s> $A </s>", special_tokens=frame)
    return json.loads(library.to_str())
