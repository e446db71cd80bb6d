#!/usr/bin/env bash
# Trains the model of landscapes from nothing: pictures, tokenizers, autoencoder, latents, classifier, transformer, guidance.
#
#   CLASSES=../../../jit-examples/target/classes ./train.sh WORK OUT
#
# WORK keeps everything in between, so that a run that was ended goes on where it was; OUT becomes a diffusers directory.
# Touch WORK/run/stop or WORK/guided/stop to end the transformer's or the guided one's training before its minutes are over;
# the next start removes both. More MINUTES train the transformer on, and the guided one anew.
# DEVICE=cuda on a GPU, where the defaults below suit; scenes-mini/README.md says what was set on a CPU. PROCESSES=2 trains
# as two processes on as many cores. INIT=FOLDER goes on from a model that was stored; FIRST_FILE=45 then draws other scenes
# than those it saw in 45 files. JAVA and PYTHON name other programs than those on the path.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
work=${1:?WORK} out=${2:?OUT}
device=${DEVICE:-cpu} processes=${PROCESSES:-1} scenes=${SCENES:-1} cores=$(nproc)
first_file=${FIRST_FILE:-0}
vae_scenes=${VAE_SCENES:-3000} vae_minutes=${VAE_MINUTES:-2} decoder_minutes=${DECODER_MINUTES:-2} minutes=${MINUTES:-8} guided_minutes=${GUIDED_MINUTES:-2} classifier_minutes=${CLASSIFIER_MINUTES:-1} tokens=${TOKENS:-16384}
: "${CLASSES:?the compiled classes of jit-examples}"
export OMP_NUM_THREADS=1 PYTHONUNBUFFERED=1 MALLOC_MMAP_MAX_=0 MALLOC_TRIM_THRESHOLD_=100000000000 MALLOC_TOP_PAD_=268435456
[ "$device" = cpu ] || unset OMP_NUM_THREADS
absolute() { case $1 in /*) echo "$1" ;; */*) echo "$PWD/$1" ;; *) echo "$1" ;; esac; } # names alone are looked up in the path
java=$(absolute "${JAVA:-java}") python=$(absolute "${PYTHON:-python3}")
[ -e "$CLASSES/io/jitflow/examples/scenes/SceneFiles.class" ] ||
  { echo "CLASSES=$CLASSES has no scenes; build them first: mvn -B -DskipTests package, in the root of the repository" >&2; exit 1; }
mkdir -p "$work/data/train" "$out"
CLASSES=$(realpath "$CLASSES")
out=$(realpath "$out")
init=${INIT:+$(realpath "$INIT")}
cd "$work"
rm -f run/stop guided/stop data/*.part data/train/*.part data/train/failed
running=() # what works in the background, by process or group: ends with this script, however that ends
trap '[ ${#running[@]} = 0 ] || kill -- "${running[@]}" 2>/dev/null || true' EXIT

render() { "$java" -XX:+UseSerialGC -cp "$CLASSES" io.jitflow.examples.scenes.SceneFiles "$@"; }
several() { # processes of one program; parallel.py joins them
  local r pid
  export WORLD_SIZE=$processes MASTER_ADDR=127.0.0.1 MASTER_PORT=${MASTER_PORT:-29511}
  for ((r = 0; r < processes; r++)); do RANK=$r "$@" & running+=($!); done
  for pid in "${running[@]}"; do wait "$pid"; done
  running=()
}
copy() { rm -rf "$2" "$2.new"; cp -r "$1" "$2.new"; mv "$2.new" "$2"; } # whole or not at all
spent() { echo "$1: $((SECONDS - begun)) s"; begun=$SECONDS; }
begun=$SECONDS

if [ -n "$init" ]; then
  if [ "$init" != "$out" ]; then
    for part in tokenizer tokenizer_2; do [ -e "$out/$part/tokenizer.json" ] || copy "$init/$part" "$out/$part"; done
    [ -e "$out/classifier.pt" ] || [ ! -e "$init/classifier.pt" ] || copy "$init/classifier.pt" "$out/classifier.pt"
  fi
  [ -e vae/config.json ] || copy "$init/vae" vae
  [ -e decoder/config.json ] || copy vae decoder
fi
# Seeds of the autoencoder's pictures lie apart from those of the transformer's; held-out seeds start at 10^9.
[ -e vae/config.json ] || [ -e data/vae256.json ] || { render data vae512 512 512 500000000 $((vae_scenes / 6)); render data vae256 256 256 500001000 "$vae_scenes"; }
[ -e data/attributes.json ] || render data one 128 128 499999999 1 # for the list of attributes beside it
[ -e "$out/tokenizer_2/tokenizer_config.json" ] || "$python" "$here/make_tokenizers.py" data/vae256.json "$out"
spent "pictures for the autoencoder"
[ -e vae/config.json ] || several "$python" "$here/train_vae.py" --data data --init "$here/../../flux-mini/vae" --out vae \
  --minutes "$vae_minutes" --device "$device" --batch "${VAE_BATCH:-16}"
spent "autoencoder"

# Width, height, number of scenes: rendered in files of 500, each file with seeds of its own.
"$python" - "$scenes" "$first_file" >plan.txt <<'PLAN'
import sys
share, number = float(sys.argv[1]), int(sys.argv[2])
for size, count in dict([((128, 128), 40000), ((160, 96), 8000), ((96, 160), 8000), ((256, 256), 40000), ((320, 192), 8000),
                         ((192, 320), 8000), ((384, 384), 6000), ((448, 256), 5000), ((512, 512), 8000), ((640, 384), 1500),
                         ((384, 640), 1500), ((576, 512), 1500), ((768, 768), 500)]).items():
    left = max(8, round(count * share))
    while left > 0:
        print(*size, min(500, left), number)
        left, number = left - 500, number + 1
PLAN
draw() { [ -e "latents/$1x$2_$(printf %02d "$4").pt" ] || [ -e "data/train/$1x$2_$(printf %02d "$4").json" ] ||
  render data/train "$1x$2_$(printf %02d "$4")" "$1" "$2" $(($4 * 500)) "$3"; }
export -f draw render
export java CLASSES
set -m # a group of its own, which the trap ends as a whole; after 255, xargs begins no more
{ xargs -P "$cores" -L 1 bash -c 'draw "$@" || exit 255' _ <plan.txt || { touch data/train/failed; exit 1; }; } &
set +m
drawing=$! running=(-$!)
"$python" "$here/encode.py" --plan plan.txt --vae vae --tokenizers "$out" --device "$device" --delete &
encoding=$! running+=($!)
wait "$encoding"
wait "$drawing"
running=()
spent "scenes, drawn and encoded"
[ -e decoder/config.json ] || several "$python" "$here/train_vae.py" --data data --init vae --out decoder --decoder --rate 7e-4 \
  --minutes "$decoder_minutes" --device "$device"
spent "decoder"
[ -e "$out/classifier.pt" ] || "$python" "$here/train_classifier.py" --out "$out/classifier.pt" --minutes "$classifier_minutes" \
  --device "$device"
spent "classifier"
# Another than the one that measures: the transformer learns from its features.
[ -e features.pt ] || "$python" "$here/train_classifier.py" --seed 1 --out features.pt --minutes "$classifier_minutes" \
  --device "$device"
spent "features"
several "$python" "$here/train_scenes.py" --tokenizers "$out" --vae decoder --features features.pt --out run --minutes "$minutes" \
  --device "$device" --tokens "$tokens" ${init:+--init "$init"}
spent "transformer"
several "$python" "$here/train_scenes.py" --tokenizers "$out" --vae decoder --teacher run/export --out guided \
  --minutes "$guided_minutes" --device "$device" --tokens "$tokens" --rate 1e-3 --matrix-rate 1.5e-3 --level 0.9
cp -r guided/export/. "$out"
spent "guidance"
