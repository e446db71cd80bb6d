"""Builds both tokenizers for the words of the captions: every word is one token, anything else falls to letters.

python3 make_tokenizers.py CAPTIONS.json OUT
CAPTIONS.json is a list of objects with "captions", as io.jitflow.examples.scenes.SceneFiles writes it.
"""
import collections
import json
import math
import os
import re
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from tokenise import merged

CLIP_LENGTH, T5_LENGTH = 40, 36


def byte_symbols():
    """GPT-2's printable stand-ins for the 256 bytes, in the order of CLIP's vocabulary."""
    kept = [*range(33, 127), *range(161, 173), *range(174, 256)]
    others = [b for b in range(256) if b not in kept]
    return [chr(b) for b in kept] + [chr(256 + k) for k in range(len(others))]


def merges(words):
    """Byte-pair encoding until every word is one symbol."""
    split = {w: [*w[:-1], w[-1] + "</w>"] for w in words}
    found = []
    while True:
        pairs = collections.Counter()
        for w, parts in split.items():
            for pair in zip(parts, parts[1:]):
                pairs[pair] += words[w]
        if not pairs:
            return found
        best = max(pairs, key=lambda p: (pairs[p], p))
        found.append(best)
        for w, parts in split.items():
            split[w] = merged(parts, best)


def token(i, content):
    return {"id": i, "content": content, "single_word": False, "lstrip": False, "rstrip": False, "normalized": False,
            "special": True}


def template(before, after, tokens):
    def part(p):
        return {"SpecialToken": {"id": p, "type_id": 0}}
    single = [part(p) for p in before] + [{"Sequence": {"id": "A", "type_id": 0}}] + [part(p) for p in after]
    return {"type": "TemplateProcessing", "single": single,
            "pair": [{"Sequence": {"id": "A", "type_id": 0}}, {"Sequence": {"id": "B", "type_id": 1}}],
            "special_tokens": {t: {"id": t, "ids": [i], "tokens": [t]} for t, i in tokens.items()}}


def write(path, value):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="utf-8") as f:
        json.dump(value, f, ensure_ascii=False, indent=1)
        f.write("\n")


def clip(words, out):
    steps = merges(words)
    symbols = byte_symbols()
    content = ["<|startoftext|>", "<|endoftext|>", *symbols, *(s + "</w>" for s in symbols), *("".join(m) for m in steps)]
    vocab = {}
    for c in content:
        vocab.setdefault(c, len(vocab))
    special = {"<|startoftext|>": 0, "<|endoftext|>": 1}
    write(out + "/tokenizer.json", {
        "version": "1.0", "truncation": None, "padding": None, "added_tokens": [token(i, t) for t, i in special.items()],
        "normalizer": {"type": "Sequence", "normalizers": [
            {"type": "NFC"}, {"type": "Replace", "pattern": {"Regex": "\\s+"}, "content": " "}, {"type": "Lowercase"}]},
        "pre_tokenizer": {"type": "Sequence", "pretokenizers": [
            {"type": "Split", "pattern": {"Regex": "'s|'t|'re|'ve|'m|'ll|'d|[\\p{L}]+|[\\p{N}]|[^\\s\\p{L}\\p{N}]+"},
             "behavior": "Removed", "invert": True},
            {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": True}]},
        "post_processor": template(["<|startoftext|>"], ["<|endoftext|>"], special),
        "decoder": {"type": "ByteLevel", "add_prefix_space": True, "trim_offsets": True, "use_regex": True},
        "model": {"type": "BPE", "dropout": None, "unk_token": "<|endoftext|>", "continuing_subword_prefix": None,
                  "end_of_word_suffix": "</w>", "fuse_unk": False, "byte_fallback": False, "ignore_merges": False,
                  "vocab": vocab, "merges": steps}})
    write(out + "/vocab.json", vocab)
    with open(out + "/merges.txt", "w", encoding="utf-8") as f:
        f.write("#version: 0.2\n" + "".join(f"{a} {b}\n" for a, b in steps))
    write(out + "/tokenizer_config.json", {
        "tokenizer_class": "CLIPTokenizer", "model_max_length": CLIP_LENGTH, "bos_token": "<|startoftext|>",
        "eos_token": "<|endoftext|>", "pad_token": "<|endoftext|>", "unk_token": "<|endoftext|>", "do_lower_case": True})
    return len(vocab)


def t5(words, out):
    total = sum(words.values())
    vocab = [["<pad>", 0.0], ["</s>", 0.0], ["<unk>", 0.0]]
    vocab += [["\u2581" + w if w.isalpha() else w, round(math.log(n / total), 6)] for w, n in words.most_common()]
    known = {v[0] for v in vocab}
    vocab += [[c, -14.0] for c in ["\u2581", *"abcdefghijklmnopqrstuvwxyz0123456789.,-'"] if c not in known]
    special = {"<pad>": 0, "</s>": 1, "<unk>": 2}
    write(out + "/tokenizer.json", {
        "version": "1.0", "truncation": None, "padding": None, "added_tokens": [token(i, t) for t, i in special.items()],
        "normalizer": {"type": "Sequence", "normalizers": [{"type": "NFKC"}, {"type": "Lowercase"}]},
        "pre_tokenizer": {"type": "Metaspace", "replacement": "\u2581", "prepend_scheme": "always", "split": True},
        "post_processor": template([], ["</s>"], {"</s>": 1}),
        "decoder": {"type": "Metaspace", "replacement": "\u2581", "prepend_scheme": "always", "split": True},
        "model": {"type": "Unigram", "unk_id": 2, "vocab": vocab, "byte_fallback": False}})
    write(out + "/tokenizer_config.json", {
        "tokenizer_class": "T5TokenizerFast", "model_max_length": T5_LENGTH, "eos_token": "</s>", "pad_token": "<pad>",
        "unk_token": "<unk>"})
    return len(vocab)


if __name__ == "__main__":
    captions = [c for scene in json.load(open(sys.argv[1])) for c in scene["captions"]]
    words = collections.Counter(w for c in captions for w in re.findall("[a-z]+|,", c))
    print(len(words), "words;", clip(words, sys.argv[2] + "/tokenizer"), "CLIP and", t5(words, sys.argv[2] + "/tokenizer_2"), "T5 tokens")
