// Compares the ids of tokenise.py with an independent reader of tokenizer.json.
// usage: node check_ids.js IDS.json MODEL_DIR
const fs = require('fs');
const { Tokenizer } = require('@huggingface/tokenizers');
const read = f => JSON.parse(fs.readFileSync(f, 'utf8'));
const [ids, model] = [read(process.argv[2]), process.argv[3]];
const open = d => new Tokenizer(read(`${model}/${d}/tokenizer.json`), read(`${model}/${d}/tokenizer_config.json`));
const clip = open('tokenizer'), t5 = open('tokenizer_2');
let wrong = 0;
for (const { name, clip: c, t5: t } of ids) {
  for (const [tokenizer, expected] of [[clip, c], [t5, t]]) {
    const got = Array.from(tokenizer.encode(name).ids);
    if (got.join() !== expected.join() && wrong++ < 10) console.log(name, got, expected);
  }
}
console.log(ids.length, 'captions,', wrong, 'differences');
process.exit(wrong ? 1 : 0);
