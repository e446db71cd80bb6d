// Renders the training set: PNGs at 256 and 512 px on white and names.json.
// usage: node render.js DATA_DIR      (run `npm install` first; repeat after a renderer crash: that picture is skipped)
const fs = require('fs');
const { Resvg } = require('@resvg/resvg-js');
const noto = require('@iconify-json/noto/icons.json');
const groups = require('unicode-emoji-json/data-by-group.json');
const out = process.argv[2] || 'data';

const list = text => new Set(text.split(',').map(s => s.trim()).filter(Boolean));

// Whole groups, less what a caption or a 16 x 16 thumbnail can hardly tell apart.
const whole = {
  'Animals & Nature': list('guide dog, service dog, front facing baby chick, two hump camel, nest with eggs, fallen leaf'),
  'Food & Drink': list('clinking beer mugs, clinking glasses, fork and knife, stuffed flatbread, beverage box, fish cake with swirl'),
};
// Chosen pictures of the other groups: clearly distinct names, colours and shapes. Not the package and the rainbow flag,
// at which the renderer crashes.
const chosen = {
  'Smileys & Emotion': list(`grinning face, rolling on the floor laughing, face with tears of joy, upside down face,
    melting face, winking face, smiling face with halo, smiling face with hearts, smiling face with heart eyes, star struck,
    face blowing a kiss, zany face, money mouth face, shushing face, thinking face, zipper mouth face, neutral face,
    face in clouds, sleeping face, face with medical mask, face with thermometer, face with head bandage, nauseated face,
    sneezing face, hot face, cold face, exploding head, cowboy hat face, partying face, disguised face,
    smiling face with sunglasses, nerd face, astonished face, loudly crying face, face screaming in fear, enraged face,
    smiling face with horns, skull, skull and crossbones, pile of poo, clown face, ogre, goblin, ghost, alien, alien monster,
    robot, grinning cat, crying cat, see no evil monkey, love letter, heart with arrow, heart with ribbon, sparkling heart,
    broken heart, heart on fire, red heart, orange heart, yellow heart, green heart, blue heart, purple heart, black heart,
    kiss mark, hundred points, collision, dizzy, hole, speech balloon, smiling cat with heart eyes, weary cat, pouting cat,
    cat with tears of joy, hear no evil monkey, speak no evil monkey, growing heart, two hearts, revolving hearts,
    heart decoration, heart exclamation, mending heart, pink heart, light blue heart, brown heart, grey heart, white heart,
    anger symbol, sweat droplets, dashing away, eye in speech bubble, right anger bubble, thought balloon, zzz,
    face vomiting, drooling face, angry face with horns, flushed face, face with open eyes and hand over mouth,
    saluting face, dotted line face, lying face, face with spiral eyes, face with monocle`),
  'People & Body': list(`thumbs up, victory hand, waving hand, ear, nose, brain, anatomical heart, lungs, tooth, bone, eye, mouth,
    foot, santa claus, raised hand, vulcan salute, ok hand, crossed fingers, sign of the horns, call me hand, thumbs down,
    raised fist, clapping hands, heart hands, handshake, folded hands, writing hand, nail polish, selfie, flexed biceps,
    mechanical arm, mechanical leg, leg, eyes, tongue, biting lip, baby, astronaut, cook, farmer, firefighter,
    police officer, construction worker, guard, ninja, princess, superhero, mage, fairy, vampire, mermaid, genie, zombie,
    troll, hairy creature, ballet dancer, woman dancing, skier, snowboarder, horse racing, person in bed,
    person taking bath, person surfing, person rowing boat, person swimming, person biking, person lifting weights,
    bust in silhouette, people hugging, footprints, fingerprint`),
  'Travel & Places': list(`globe showing europe africa, compass, volcano, mount fuji, camping, beach with umbrella, desert, desert island,
    national park, stadium, classical building, brick, rock, wood, hut, house, house with garden, office building, hospital,
    factory, castle, wedding, tokyo tower, statue of liberty, church, mosque, shinto shrine, fountain, tent, night with stars,
    cityscape, sunrise over mountains, sunset, hot springs, carousel horse, ferris wheel, roller coaster, barber pole,
    circus tent, locomotive, bullet train, tram, bus, ambulance, fire engine, police car, taxi, automobile, pickup truck,
    tractor, racing car, motorcycle, motor scooter, bicycle, kick scooter, skateboard, roller skate, bus stop, oil drum,
    fuel pump, wheel, police car light, vertical traffic light, stop sign, construction, anchor, ring buoy, sailboat, canoe,
    speedboat, ship, airplane, parachute, seat, helicopter, satellite, rocket, flying saucer, bellhop bell, luggage,
    hourglass done, watch, alarm clock, stopwatch, mantelpiece clock, full moon, crescent moon, thermometer, sun,
    sun with face, ringed planet, star, milky way, cloud, sun behind cloud, cloud with rain, cloud with snow,
    cloud with lightning, tornado, wind face, cyclone, rainbow, closed umbrella, umbrella, high voltage, snowflake, snowman,
    comet, fire, droplet, water wave,
    globe showing americas, globe with meridians, world map, map of japan, snow capped mountain, building construction,
    houses, derelict house, post office, bank, convenience store, school, department store, japanese castle, hindu temple,
    synagogue, kaaba, sunrise, cityscape at dusk, bridge at night, playground slide, railway car, metro, monorail,
    oncoming bus, minibus, oncoming taxi, oncoming automobile, delivery truck, articulated lorry, manual wheelchair,
    auto rickshaw, motorway, railway track, horizontal traffic light, ferry, motor boat, small airplane, mountain cableway,
    hourglass not done, new moon, first quarter moon, last quarter moon, new moon face, full moon face, glowing star,
    shooting star, cloud with lightning and rain, sun behind rain cloud, umbrella with rain drops, umbrella on ground,
    snowman without snow`),
  'Activities': list(`jack o lantern, christmas tree, fireworks, firecracker, sparkles, balloon, party popper, pine decoration,
    japanese dolls, wind chime, red envelope, ribbon, wrapped gift, ticket, trophy, sports medal, soccer ball, baseball,
    basketball, volleyball, american football, tennis, flying disc, bowling, ping pong, badminton, boxing glove,
    martial arts uniform, goal net, ice skate, diving mask, running shirt, sled, curling stone, bullseye, yo yo, kite,
    water pistol, pool 8 ball, crystal ball, magic wand, video game, joystick, slot machine, game die, puzzle piece,
    teddy bear, mirror ball, nesting dolls, chess pawn, joker, framed picture, artist palette, thread, yarn,
    sparkler, confetti ball, tanabata tree, carp streamer, moon viewing ceremony, reminder ribbon, admission tickets,
    military medal, 1st place medal, 2nd place medal, 3rd place medal, softball, rugby football, cricket game,
    field hockey, ice hockey, lacrosse, flag in hole, fishing pole, skis, spade suit, heart suit, diamond suit, club suit,
    mahjong red dragon, flower playing cards, performing arts, sewing needle, knot`),
  'Objects': list(`glasses, sunglasses, goggles, lab coat, safety vest, necktie, t shirt, jeans, scarf, gloves, socks, dress, kimono,
    shorts, bikini, purse, handbag, shopping bags, backpack, running shoe, hiking boot, high heeled shoe, crown, top hat,
    graduation cap, billed cap, military helmet, lipstick, ring, gem stone, loudspeaker, megaphone, bell, studio microphone,
    headphone, radio, saxophone, trumpet, accordion, guitar, musical keyboard, violin, banjo, drum, maracas, mobile phone,
    telephone, battery, electric plug, laptop, printer, computer mouse, floppy disk, optical disk, abacus, movie camera,
    clapper board, television, camera, candle, light bulb, flashlight, red paper lantern, closed book, green book, blue book,
    orange book, scroll, newspaper, coin, money bag, treasure chest, dollar banknote, credit card, envelope, postbox, pencil,
    paintbrush, crayon, briefcase, calendar, bar chart, clipboard, pushpin, paperclip, triangular ruler, scissors, wastebasket,
    locked, key, hammer, axe, crossed swords, bomb, boomerang, bow and arrow, shield, wrench, screwdriver, gear, magnet,
    ladder, test tube, petri dish, dna, microscope, telescope, syringe, drop of blood, pill, door, mirror, bed, chair, toilet,
    plunger, bathtub, broom, basket, bucket, soap, bubbles, toothbrush, sponge, fire extinguisher, shopping cart, coffin,
    headstone, nazar amulet, moai,
    coat, sari, one piece swimsuit, briefs, womans clothes, folding hand fan, clutch bag, thong sandal, mans shoe,
    flat shoe, womans sandal, ballet shoes, womans boot, hair pick, womans hat, rescue workers helmet, prayer beads,
    muted speaker, speaker high volume, postal horn, bell with slash, musical score, musical note, level slider,
    control knobs, microphone, long drum, flute, mobile phone with arrow, telephone receiver, pager, fax machine,
    low battery, desktop computer, keyboard, trackball, computer disk, dvd, film frames, film projector,
    camera with flash, video camera, videocassette, magnifying glass tilted left, diya lamp,
    notebook with decorative cover, open book, books, ledger, page with curl, rolled up newspaper, bookmark tabs, bookmark,
    label, euro banknote, money with wings, receipt, e mail, incoming envelope, outbox tray, inbox tray,
    closed mailbox with raised flag, open mailbox with raised flag, ballot box with ballot, black nib, fountain pen, pen,
    memo, file folder, open file folder, card index dividers, spiral notepad, spiral calendar, card index,
    chart increasing, chart decreasing, round pushpin, straight ruler, card file box, file cabinet, unlocked,
    locked with pen, old key, pick, dagger, carpentry saw, nut and bolt, clamp, balance scale, link, chains, hook, toolbox,
    alembic, satellite antenna, adhesive bandage, crutch, stethoscope, x ray, elevator, window, couch and lamp, shower,
    mouse trap, razor, lotion bottle, safety pin, roll of paper, cigarette, funeral urn, hamsa, placard,
    identification card`),
  'Symbols': list(`warning, radioactive, biohazard, no entry, prohibited, children crossing, up arrow, right arrow, down arrow,
    left arrow, atom symbol, star of david, yin yang, latin cross, peace symbol, recycling symbol, play button,
    fast forward button, pause button, stop button, record button, female sign, male sign, multiply, plus, minus, divide,
    infinity, red question mark, red exclamation mark, heavy dollar sign, fleur de lis, trident emblem,
    japanese symbol for beginner, check mark button, cross mark, sparkle, a button blood type, sos button, red circle,
    orange circle, yellow circle, green circle, blue circle, purple circle, brown circle, black circle, red square,
    orange square, yellow square, green square, blue square, purple square, brown square, large orange diamond,
    large blue diamond`),
  'Flags': list('chequered flag, triangular flag, crossed flags, black flag, pirate flag'),
};

const tidy = name => name.toLowerCase().replace(/[’']/g, '').replace(/[^a-z0-9 ]/g, ' ').replace(/\s+/g, ' ').trim();
for (const size of [256, 512]) fs.mkdirSync(`${out}/${size}`, { recursive: true });
fs.mkdirSync(`${out}/bad`, { recursive: true });
const names = [], wanted = new Set();
for (const c of Object.values(chosen)) for (const n of c) wanted.add(n);
for (const group of groups) {
  for (const emoji of group.emojis) {
    const caption = tidy(emoji.name);
    const take = chosen[group.name] ? chosen[group.name].has(caption) : whole[group.name] && !whole[group.name].has(caption);
    if (!take) continue;
    wanted.delete(caption);
    const key = [caption.replace(/ /g, '-'), emoji.slug.replace(/_/g, '-')].find(k => noto.icons[k]);
    if (!key) { console.error('no picture:', caption); continue; }
    if (fs.existsSync(`${out}/bad/${key}`)) { console.error('renderer crashed on:', caption); continue; }
    fs.writeFileSync(`${out}/bad/${key}`, '');
    const icon = noto.icons[key];
    const w = icon.width || noto.width || 128, h = icon.height || noto.height || 128;
    for (const size of [256, 512]) {
      const svg = `<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" ` +
        `viewBox="${-w * 0.08} ${-h * 0.08} ${w * 1.16} ${h * 1.16}" width="${size}" height="${size}">${icon.body}</svg>`;
      const png = new Resvg(svg, { fitTo: { mode: 'width', value: size }, background: '#ffffff' }).render().asPng();
      fs.writeFileSync(`${out}/${size}/${key}.png`, png);
    }
    fs.unlinkSync(`${out}/bad/${key}`);
    names.push({ name: caption, group: group.name, key });
  }
}
if (wanted.size) console.error('unknown names:', [...wanted].join(', '));
fs.writeFileSync(`${out}/names.json`, '[\n' + names.map(n => JSON.stringify(n)).join(',\n') + '\n]\n');
const count = {};
for (const n of names) count[n.group] = (count[n.group] || 0) + 1;
console.log(names.length, count);
