// npm run help: what you can do here, one line each.

const COMMANDS = [
  ['npm start', 'install, build, let the sample model read its clips, then serve the page'],
  ['npm test', 'install, then types, lint, unit and browser tests'],
  ['npm run -s sotto -- --help', 'the terminal program'],
  ['npm run dev', 'the page, while you work on it'],
  ['npm run check', 'types per realm, lint, format'],
  ['npm run test:node', 'tests on Node only'],
  ['npm run test:browser', 'tests in Chromium only'],
  ['npm run test:page', 'tests of the built page only'],
  ['npm run bench', 'measurements, side by side'],
  ['npm run format', 'format everything'],
];

for (const [command, meaning] of COMMANDS) console.log(`${command.padEnd(30)} ${meaning}`);
