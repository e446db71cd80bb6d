"""Caption encoders that give the ids of the Hugging Face tokenizers for lower-case ASCII text.

python3 tokenise.py CAPTIONS.json MODEL_DIR OUT.json   writes the ids of all captions (or names), for check_ids.js
"""
import functools
import json
import re
import sys


def merged(parts, pair):
    """A word's symbols with every occurrence of a pair joined."""
    joined, i = [], 0
    while i < len(parts):
        if tuple(parts[i:i + 2]) == pair:
            joined.append(parts[i] + parts[i + 1])
            i += 2
        else:
            joined.append(parts[i])
            i += 1
    return joined


class Clip:
    """Byte-level BPE from vocab.json and merges.txt; the last symbol of a word carries </w>."""

    def __init__(self, folder):
        self.length = json.load(open(folder + "/tokenizer_config.json"))["model_max_length"]
        self.vocab = json.load(open(folder + "/vocab.json"))
        lines = open(folder + "/merges.txt", encoding="utf-8").read().split("\n")
        merges = [tuple(line.split(" ")) for line in lines if line and not line.startswith("#")]
        self.rank = {pair: i for i, pair in enumerate(merges)}
        self.bos, self.eos = self.vocab["<|startoftext|>"], self.vocab["<|endoftext|>"]

    @functools.lru_cache(None)
    def word(self, word):
        parts = list(word[:-1]) + [word[-1] + "</w>"]
        while len(parts) > 1:
            best = min(zip(parts, parts[1:]), key=lambda pair: self.rank.get(pair, 1 << 30))
            if best not in self.rank:
                break
            parts = merged(parts, best)
        return [self.vocab[p] for p in parts]

    def __call__(self, text):
        words = re.findall(r"'s|'t|'re|'ve|'m|'ll|'d|[a-z]+|[0-9]|[^\sa-z0-9]+", text.lower())
        return [self.bos] + [i for w in words for i in self.word(w)] + [self.eos]

    def padded(self, text):
        ids = self(text)
        assert len(ids) <= self.length, text
        return ids + [self.eos] * (self.length - len(ids))


class T5:
    """Unigram: the split of each word with the best sum of log probabilities."""

    def __init__(self, folder):
        self.length = json.load(open(folder + "/tokenizer_config.json"))["model_max_length"]
        vocab = json.load(open(folder + "/tokenizer.json", encoding="utf-8"))["model"]["vocab"]
        self.pieces = {piece: (i, score) for i, (piece, score) in enumerate(vocab) if i > 2}
        self.longest = max(map(len, self.pieces))

    @functools.lru_cache(None)
    def word(self, word):
        best = [(0.0, 0, None)] + [(-1e30, 0, None)] * len(word)
        for end in range(1, len(word) + 1):
            for begin in range(max(0, end - self.longest), end):
                piece = self.pieces.get(word[begin:end])
                if piece and best[begin][0] + piece[1] > best[end][0]:
                    best[end] = (best[begin][0] + piece[1], begin, piece[0])
        ids, end = [], len(word)
        while end > 0:
            _, begin, i = best[end]
            assert i is not None, word
            ids.append(i)
            end = begin
        return ids[::-1]

    def __call__(self, text):
        return [i for w in text.lower().split() for i in self.word("\u2581" + w)] + [1]

    def padded(self, text):
        ids = self(text)
        assert len(ids) <= self.length, text
        return ids + [0] * (self.length - len(ids))


if __name__ == "__main__":
    captions = [c for n in json.load(open(sys.argv[1])) for c in n.get("captions", [n.get("name")])]
    clip, t5 = Clip(sys.argv[2] + "/tokenizer"), T5(sys.argv[2] + "/tokenizer_2")
    ids = [{"name": c, "clip": clip(c), "t5": t5(c)} for c in captions]
    for c in captions:
        clip.padded(c), t5.padded(c)
    json.dump(ids, open(sys.argv[3], "w"))
    print(len(ids), "captions; longest", max(len(i["clip"]) for i in ids), "and", max(len(i["t5"]) for i in ids), "ids")
