/* The elementwise parts of a FLUX block for one CPU core: bfloat16 (or, with -DFLOAT32, float32) in and out, float32
 * inside. They cost several times the matrix products when written with separate PyTorch operators. */
#include <math.h>
#include <stdint.h>
#include <string.h>

#ifdef FLOAT32
typedef float element;
#else
typedef uint16_t element;
#endif
#define R restrict
#define MAXD 2048

#ifdef FLOAT32
static inline float up(element h) { return h; }
static inline element down(float f) { return f; }
#else
static inline float up(element h) { uint32_t u = (uint32_t)h << 16; float f; memcpy(&f, &u, 4); return f; }
static inline element down(float f) {
    uint32_t u; memcpy(&u, &f, 4);
    return (element)((u + 0x7fff + ((u >> 16) & 1)) >> 16);
}
#endif

/* exp to about 1e-5, enough for bfloat16, in a form that vectorises */
static inline float fast_exp(float x) {
    float t = fminf(fmaxf(x * 1.44269504f, -126), 126), i = rintf(t), f = t - i;
    float p = 1 + f * (0.69314718f + f * (0.24022651f + f * (0.05550411f + f * (0.00961813f + f * 0.00133336f))));
    int32_t e = ((int32_t)i + 127) << 23;
    float s; memcpy(&s, &e, 4);
    return p * s;
}

/* y = layernorm(x) * (1 + scale) + shift; x [B, N, d], scale and shift [B, d]; keeps mean and 1/deviation */
void ln_mod(const float *R x, const float *R shift, const float *R scale, element *R y, float *R stat, long B, long N, long d) {
    for (long r = 0; r < B * N; r++) {
        const float *R a = x + r * d, *R sh = shift + r / N * d, *R sc = scale + r / N * d;
        element *R o = y + r * d;
        float m = 0, v = 0;
        for (long i = 0; i < d; i++) m += a[i];
        m /= d;
        for (long i = 0; i < d; i++) v += (a[i] - m) * (a[i] - m);
        v = 1 / sqrtf(v / d + 1e-6f);
        stat[2 * r] = m; stat[2 * r + 1] = v;
        for (long i = 0; i < d; i++) o[i] = down((a[i] - m) * v * (1 + sc[i]) + sh[i]);
    }
}

/* dshift and dscale start at zero */
void ln_mod_back(const element *R dy, const float *R x, const float *R scale, const float *R stat,
                 float *R dx, float *R dshift, float *R dscale, long B, long N, long d) {
    float xh[MAXD], g[MAXD];
    for (long r = 0; r < B * N; r++) {
        const float *R a = x + r * d, *R sc = scale + r / N * d;
        float *R dsh = dshift + r / N * d, *R dsc = dscale + r / N * d, *R o = dx + r * d;
        const element *R dr = dy + r * d;
        float m = stat[2 * r], v = stat[2 * r + 1], s1 = 0, s2 = 0;
        for (long i = 0; i < d; i++) {
            float e = up(dr[i]);
            xh[i] = (a[i] - m) * v;
            dsh[i] += e;
            dsc[i] += e * xh[i];
            g[i] = e * (1 + sc[i]);
            s1 += g[i]; s2 += g[i] * xh[i];
        }
        s1 /= d; s2 /= d;
        for (long i = 0; i < d; i++) o[i] = v * (g[i] - s1 - xh[i] * s2);
    }
}

/* out = x + gate * y; x float32 [B, N, d], gate [B, d], y in elements */
void gate(const float *R x, const float *R g, const element *R y, float *R out, long B, long N, long d) {
    for (long r = 0; r < B * N; r++) {
        const float *R a = x + r * d, *R w = g + r / N * d;
        const element *R b = y + r * d;
        float *R o = out + r * d;
        for (long i = 0; i < d; i++) o[i] = a[i] + w[i] * up(b[i]);
    }
}

void gate_back(const float *R dout, const float *R g, const element *R y, element *R dy, float *R dg, long B, long N, long d) {
    for (long r = 0; r < B * N; r++) {
        const float *R a = dout + r * d, *R w = g + r / N * d;
        const element *R b = y + r * d;
        element *R o = dy + r * d;
        float *R s = dg + r / N * d;
        for (long i = 0; i < d; i++) { o[i] = down(a[i] * w[i]); s[i] += a[i] * up(b[i]); }
    }
}

#define K0 0.7978845608f
#define K1 0.044715f
void gelu(const element *R x, element *R y, long n) {
    for (long i = 0; i < n; i++) {
        float a = up(x[i]);
        y[i] = down(a / (1 + fast_exp(-2 * K0 * (a + K1 * a * a * a))));
    }
}

void gelu_back(const element *R x, const element *R dy, element *R dx, long n) {
    for (long i = 0; i < n; i++) {
        float a = up(x[i]), s = 1 / (1 + fast_exp(-2 * K0 * (a + K1 * a * a * a)));
        dx[i] = down(up(dy[i]) * (s + a * s * (1 - s) * 2 * K0 * (1 + 3 * K1 * a * a)));
    }
}

/* RMS norm and rotation of q and k, copy of v: z [B, N, 3, H, D] into rows off..off+N of q, k, v [B, H, T, D].
 * cos and sin [N, D/2] */
void heads(const element *R z, const float *R wq, const float *R wk, const float *R cs, const float *R sn,
           element *R q, element *R k, element *R v, float *R inv, long B, long N, long H, long D, long T, long off) {
    for (long b = 0; b < B; b++) for (long n = 0; n < N; n++) for (long p = 0; p < 2; p++) for (long h = 0; h < H; h++) {
        const element *R a = z + (((b * N + n) * 3 + p) * H + h) * D;
        element *R o = (p ? k : q) + ((b * H + h) * T + off + n) * D;
        const float *R w = p ? wk : wq, *R c = cs + n * D / 2, *R s = sn + n * D / 2;
        float e[256], m = 0;
        for (long i = 0; i < D; i++) { e[i] = up(a[i]); m += e[i] * e[i]; }
        m = 1 / sqrtf(m / D + 1e-6f);
        inv[((b * N + n) * 2 + p) * H + h] = m;
        for (long j = 0; j < D / 2; j++) {
            float x0 = e[2 * j] * m * w[2 * j], x1 = e[2 * j + 1] * m * w[2 * j + 1];
            o[2 * j] = down(x0 * c[j] - x1 * s[j]);
            o[2 * j + 1] = down(x1 * c[j] + x0 * s[j]);
        }
    }
    for (long b = 0; b < B; b++) for (long n = 0; n < N; n++) for (long h = 0; h < H; h++)
        memcpy(v + ((b * H + h) * T + off + n) * D, z + (((b * N + n) * 3 + 2) * H + h) * D, D * sizeof(element));
}

void heads_back(const element *R dq, const element *R dk, const element *R dv, const element *R z, const float *R wq, const float *R wk,
                const float *R cs, const float *R sn, const float *R inv, element *R dz, float *R dwq, float *R dwk,
                long B, long N, long H, long D, long T, long off) {
    for (long b = 0; b < B; b++) for (long n = 0; n < N; n++) for (long p = 0; p < 2; p++) for (long h = 0; h < H; h++) {
        long row = (((b * N + n) * 3 + p) * H + h) * D;
        const element *R a = z + row, *R d = (p ? dk : dq) + ((b * H + h) * T + off + n) * D;
        const float *R w = p ? wk : wq, *R c = cs + n * D / 2, *R s = sn + n * D / 2;
        float *R dw = p ? dwk : dwq, g[256], xh[256], m = inv[((b * N + n) * 2 + p) * H + h], sum = 0;
        for (long j = 0; j < D / 2; j++) {
            float d0 = up(d[2 * j]), d1 = up(d[2 * j + 1]);
            g[2 * j] = d0 * c[j] + d1 * s[j];
            g[2 * j + 1] = d1 * c[j] - d0 * s[j];
        }
        for (long i = 0; i < D; i++) {
            xh[i] = up(a[i]) * m;
            dw[i] += g[i] * xh[i];
            g[i] *= w[i];
            sum += g[i] * xh[i];
        }
        sum /= D;
        for (long i = 0; i < D; i++) dz[row + i] = down(m * (g[i] - xh[i] * sum));
    }
    for (long b = 0; b < B; b++) for (long n = 0; n < N; n++) for (long h = 0; h < H; h++)
        memcpy(dz + (((b * N + n) * 3 + 2) * H + h) * D, dv + ((b * H + h) * T + off + n) * D, D * sizeof(element));
}

/* [B, H, T, D] to [B, T, H, D], or back */
void merge(const element *R x, element *R y, long B, long H, long T, long D, long back) {
    for (long b = 0; b < B; b++) for (long t = 0; t < T; t++) for (long h = 0; h < H; h++) {
        long i = ((b * H + h) * T + t) * D, j = ((b * T + t) * H + h) * D;
        memcpy(y + (back ? i : j), x + (back ? j : i), D * sizeof(element));
    }
}

/* rows of length n, at most 16,384, in place: softmax(scale * s) */
void softmax(element *R s, long rows, long n, float scale) {
    float e[16384];
    for (long r = 0; r < rows; r++) {
        element *R a = s + r * n;
        float m = -1e30f, sum = 0;
        for (long i = 0; i < n; i++) { e[i] = up(a[i]); m = e[i] > m ? e[i] : m; }
        for (long i = 0; i < n; i++) { e[i] = fast_exp(scale * (e[i] - m)); sum += e[i]; }
        sum = 1 / sum;
        for (long i = 0; i < n; i++) a[i] = down(e[i] * sum);
    }
}

/* dp becomes scale * p * (dp - sum(p * dp)) */
void softmax_back(const element *R p, element *R dp, long rows, long n, float scale) {
    for (long r = 0; r < rows; r++) {
        const element *R a = p + r * n;
        element *R d = dp + r * n;
        float sum = 0;
        for (long i = 0; i < n; i++) sum += up(a[i]) * up(d[i]);
        for (long i = 0; i < n; i++) d[i] = down(scale * up(a[i]) * (up(d[i]) - sum));
    }
}

/* column sums of [rows, n] */
void columns(const element *R x, float *R y, long rows, long n) {
    for (long r = 0; r < rows; r++) for (long i = 0; i < n; i++) y[i] += up(x[r * n + i]);
}

void add_bias(element *R y, const float *R b, long rows, long n) {
    for (long r = 0; r < rows; r++) for (long i = 0; i < n; i++) y[r * n + i] = down(up(y[r * n + i]) + b[i]);
}

/* group norm and SiLU of pictures [B, pixels, channels]; at most 512 channels */
void norm_silu(const element *R x, const float *R w, const float *R bias, element *R y, long B, long P, long C, long G) {
    for (long b = 0; b < B; b++) {
        const element *R a = x + b * P * C;
        element *R o = y + b * P * C;
        double total[512] = {0}, squares[512] = {0};
        for (long p0 = 0; p0 < P; p0 += 256) {
            float s[512] = {0}, q[512] = {0};
            for (long p = p0; p < P && p < p0 + 256; p++)
                for (long c = 0; c < C; c++) { float e = up(a[p * C + c]); s[c] += e; q[c] += e * e; }
            for (long c = 0; c < C; c++) { total[c] += s[c]; squares[c] += q[c]; }
        }
        float scale[512], shift[512];
        long n = C / G;
        for (long g = 0; g < G; g++) {
            double m = 0, v = 0;
            for (long c = g * n; c < (g + 1) * n; c++) { m += total[c]; v += squares[c]; }
            m /= n * P;
            v = 1 / sqrt(v / (n * P) - m * m + 1e-6);
            for (long c = g * n; c < (g + 1) * n; c++) { scale[c] = v * w[c]; shift[c] = bias[c] - m * v * w[c]; }
        }
        for (long p = 0; p < P; p++)
            for (long c = 0; c < C; c++) {
                float e = up(a[p * C + c]) * scale[c] + shift[c];
                o[p * C + c] = down(e / (1 + fast_exp(-e)));
            }
    }
}
