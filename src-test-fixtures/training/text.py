"""CLIPTextModel and T5EncoderModel with the parameter names of transformers."""
import math

import torch
import torch.nn as nn
import torch.nn.functional as F


class ClipAttention(nn.Module):
    def __init__(self, d, heads):
        super().__init__()
        self.heads = heads
        for name in ("q_proj", "k_proj", "v_proj", "out_proj"):
            setattr(self, name, nn.Linear(d, d))

    def forward(self, x):
        b, n, d = x.shape
        q, k, v = (f(x).view(b, n, self.heads, -1).transpose(1, 2) for f in (self.q_proj, self.k_proj, self.v_proj))
        s = (q @ k.transpose(-1, -2)).float() * (d // self.heads) ** -0.5
        s = s + torch.full((n, n), -1e30, device=x.device).triu(1)
        return self.out_proj((torch.softmax(s, -1).to(v.dtype) @ v).transpose(1, 2).reshape(b, n, d))


class ClipLayer(nn.Module):
    def __init__(self, d, heads):
        super().__init__()
        self.self_attn = ClipAttention(d, heads)
        self.layer_norm1, self.layer_norm2 = nn.LayerNorm(d), nn.LayerNorm(d)
        self.mlp = nn.Module()
        self.mlp.fc1, self.mlp.fc2 = nn.Linear(d, 4 * d), nn.Linear(4 * d, d)

    def forward(self, x):
        x = x + self.self_attn(self.layer_norm1(x))
        h = self.mlp.fc1(self.layer_norm2(x))
        return x + self.mlp.fc2(h * torch.sigmoid(1.702 * h))  # quick GELU


class Clip(nn.Module):
    def __init__(self, vocab, length, width=128, layers=2, heads=2, bos=0, eos=1):
        super().__init__()
        t = self.text_model = nn.Module()
        t.embeddings = nn.Module()
        t.embeddings.token_embedding, t.embeddings.position_embedding = nn.Embedding(vocab, width), nn.Embedding(length, width)
        nn.init.normal_(t.embeddings.token_embedding.weight, std=0.05)
        nn.init.normal_(t.embeddings.position_embedding.weight, std=0.02)
        t.encoder = nn.Module()
        t.encoder.layers = nn.ModuleList([ClipLayer(width, heads) for _ in range(layers)])
        t.final_layer_norm = nn.LayerNorm(width)
        self.eos = eos
        self.config = dict(
            architectures=["CLIPTextModel"], model_type="clip_text_model", attention_dropout=0.0, bos_token_id=bos,
            eos_token_id=eos, pad_token_id=eos, hidden_act="quick_gelu", hidden_size=width, intermediate_size=4 * width,
            layer_norm_eps=1e-5, max_position_embeddings=length, num_attention_heads=heads, num_hidden_layers=layers,
            projection_dim=width, vocab_size=vocab, initializer_factor=1.0, initializer_range=0.02, torch_dtype="float16")

    def forward(self, ids):
        """The pooled output: the row of the first end-of-text id."""
        e = self.text_model.embeddings
        x = e.token_embedding(ids) + e.position_embedding.weight[:ids.shape[1]]
        for layer in self.text_model.encoder.layers:
            x = layer(x)
        x = x[torch.arange(len(ids), device=ids.device), (ids == self.eos).int().argmax(1)]
        return self.text_model.final_layer_norm(x.float())


class T5Norm(nn.Module):
    def __init__(self, d):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(d))

    def forward(self, x):
        x = x.float()
        return x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + 1e-6) * self.weight


class T5Attention(nn.Module):
    def __init__(self, d, heads, size, bias):
        super().__init__()
        self.heads = heads
        for name in ("q", "k", "v"):
            setattr(self, name, nn.Linear(d, heads * size, bias=False))
        self.o = nn.Linear(heads * size, d, bias=False)
        if bias:
            self.relative_attention_bias = nn.Embedding(32, heads)

    def forward(self, x, bias):
        b, n, _ = x.shape
        q, k, v = (f(x).view(b, n, self.heads, -1).transpose(1, 2) for f in (self.q, self.k, self.v))
        p = torch.softmax((q @ k.transpose(-1, -2)).float() + bias, -1)  # T5 does not scale
        return self.o((p.to(v.dtype) @ v).transpose(1, 2).reshape(b, n, -1))


def layer(**parts):
    m = nn.Module()
    for name, part in parts.items():
        setattr(m, name, part)
    return m


def buckets(n):
    """Relative positions in 32 buckets, both ways; the nearest 8 exactly, then logarithmic up to 128."""
    distance = torch.arange(n)[None] - torch.arange(n)[:, None]
    far = 8 + (torch.log(distance.abs().float().clamp(min=1) / 8) / math.log(128 / 8) * 8).long().clamp(max=7)
    return torch.where(distance > 0, 16, 0) + torch.where(distance.abs() < 8, distance.abs(), far)


class T5(nn.Module):
    def __init__(self, vocab, width=96, layers=2, heads=6, size=16, ff=192):
        super().__init__()
        self.shared = nn.Embedding(vocab, width)
        self.encoder = nn.Module()
        blocks = []
        for i in range(layers):
            attention = T5Attention(width, heads, size, i == 0)
            dense = layer(wi_0=nn.Linear(width, ff, bias=False), wi_1=nn.Linear(width, ff, bias=False),
                          wo=nn.Linear(ff, width, bias=False))
            blocks.append(layer(layer=nn.ModuleList([layer(SelfAttention=attention, layer_norm=T5Norm(width)),
                                                     layer(DenseReluDense=dense, layer_norm=T5Norm(width))])))
        self.encoder.block = nn.ModuleList(blocks)
        self.encoder.final_layer_norm = T5Norm(width)
        nn.init.normal_(self.shared.weight, std=1.0)
        for b in blocks:
            nn.init.normal_(b.layer[0].SelfAttention.q.weight, std=(width * size) ** -0.5)
        nn.init.normal_(blocks[0].layer[0].SelfAttention.relative_attention_bias.weight, std=0.1)
        self.config = dict(
            architectures=["T5EncoderModel"], model_type="t5", classifier_dropout=0.0, d_ff=ff, d_kv=size, d_model=width,
            dense_act_fn="gelu_new", dropout_rate=0.0, eos_token_id=1, pad_token_id=0, feed_forward_proj="gated-gelu",
            initializer_factor=1.0, is_encoder_decoder=False, is_gated_act=True, layer_norm_epsilon=1e-6,
            num_decoder_layers=layers, num_heads=heads, num_layers=layers, relative_attention_max_distance=128,
            relative_attention_num_buckets=32, tie_word_embeddings=True, use_cache=False, vocab_size=vocab,
            torch_dtype="float16")

    def forward(self, ids):
        x = self.shared(ids)
        table = self.encoder.block[0].layer[0].SelfAttention.relative_attention_bias
        bias = table(buckets(ids.shape[1]).to(ids.device)).permute(2, 0, 1)[None].float()
        for block in self.encoder.block:
            attention, dense = block.layer
            x = x + attention.SelfAttention(attention.layer_norm(x), bias)
            y, m = dense.layer_norm(x), dense.DenseReluDense
            x = x + m.wo(F.gelu(m.wi_0(y), approximate="tanh") * m.wi_1(y))
        return self.encoder.final_layer_norm(x)
