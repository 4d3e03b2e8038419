// The page's own style and its few lines of script. No request leaves the page: fonts are the system's, sound
// lies inside, and the policy in the page's head forbids everything else.

export const STYLE = `
:root {
  color-scheme: light dark;
  --paper: #fbfaf8; --ink: #1d1c1a; --soft: #5f5b55; --line: #dcd8d1; --card: #ffffff;
  --wrong: #a3201a; --added: #1c5f9e; --link: #1c5f9e;
  --c0: #1f6fb2; --c1: #b3541e; --c2: #2c7a4b; --c3: #8a4fa3; --c4: #a3761b; --c5: #5b6470;
}
@media (prefers-color-scheme: dark) {
  :root {
    --paper: #161719; --ink: #e9e6e1; --soft: #a9a49b; --line: #35373b; --card: #1e2023;
    --wrong: #ff9d92; --added: #8cc4ff; --link: #8cc4ff;
    --c0: #6db3f2; --c1: #f0995f; --c2: #6cc792; --c3: #c995e0; --c4: #e0b352; --c5: #a8b2bf;
  }
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink); font: 16px/1.5 system-ui, sans-serif; }
main, header { max-width: 62rem; margin: 0 auto; padding: 0 1.25rem; } main { padding-bottom: 4rem; } header { padding-top: 1.5rem; }
h1 { font-size: 1.7rem; margin: 1rem 0 .25rem; } h2 { font-size: 1.2rem; margin: 2.5rem 0 .5rem; }
p, li { max-width: 46rem; overflow-wrap: anywhere; } .soft, figcaption { color: var(--soft); font-size: .9rem; }
code { font-size: .9em; overflow-wrap: anywhere; }
.wide { overflow-x: auto; } table { border-collapse: collapse; width: 100%; font-size: .92rem; }
th, td { text-align: right; padding: .4rem .6rem; border-bottom: 1px solid var(--line); vertical-align: top; }
th:first-child, td:first-child, .two-labels :is(th, td):nth-child(2) { text-align: left; } td, th { white-space: nowrap; } td { font-variant-numeric: tabular-nums; }
thead th { color: var(--soft); font-weight: 600; } caption { text-align: left; color: var(--soft); padding-bottom: .4rem; }
figure { margin: 1rem 0; } svg { width: 100%; min-width: 34rem; height: auto; background: var(--card); border: 1px solid var(--line); border-radius: .5rem; }
svg text { fill: var(--ink); font: 13px system-ui, sans-serif; } svg .tick { fill: var(--soft); font-size: 12px; }
.grid { stroke: var(--line); } .whisker { stroke: var(--ink); stroke-width: 1.5; opacity: .65; }
.curve { fill: none; stroke: var(--c); stroke-width: 2.5; stroke-linejoin: round; } .dot, .bar { fill: var(--c); }
.band { fill: var(--c); opacity: .14; }
.c0 { --c: var(--c0); } .c1 { --c: var(--c1); stroke-dasharray: 7 3; } .c2 { --c: var(--c2); stroke-dasharray: 2 3; }
.c3 { --c: var(--c3); stroke-dasharray: 9 3 2 3; } .c4 { --c: var(--c4); stroke-dasharray: 4 4; } .c5 { --c: var(--c5); stroke-dasharray: 12 4; }
.bar, .dot, .band { stroke-dasharray: none; }
.key { display: inline-flex; align-items: center; gap: .4rem; margin-right: 1.2rem; }
.key svg { width: 2.2rem; min-width: 0; height: .8rem; border: 0; background: none; }
details { background: var(--card); border: 1px solid var(--line); border-radius: .5rem; margin: .5rem 0; padding: .5rem .9rem; }
summary { cursor: pointer; } summary .soft { margin-left: .5rem; }
audio { width: 100%; max-width: 30rem; margin: .6rem 0; }
dl { display: grid; grid-template-columns: minmax(7rem, max-content) 1fr; gap: .2rem 1rem; margin: .5rem 0 .3rem; }
dt { line-height: 1.9; max-width: 16rem; } dd { margin: 0; line-height: 1.7; }
@media (max-width: 36rem) { dl { grid-template-columns: 1fr; gap: 0; } }
del { color: var(--wrong); text-decoration: line-through; } ins { color: var(--added); text-decoration: underline; text-underline-offset: .2em; }
a { color: var(--link); } label { display: inline-block; padding: .4rem 0; }
:focus-visible { outline: 3px solid var(--c0); outline-offset: 2px; border-radius: .25rem; }
`;

/** Plays recordings at the level they were made with, when asked to. */
export const SCRIPT = `
const own = document.getElementById('own-level');
const apply = () => document.querySelectorAll('audio').forEach((audio) => {
  audio.volume = own.checked ? 10 ** (-Number(audio.dataset.raised) / 20) : 1;
});
own?.addEventListener('change', apply);
document.addEventListener('play', apply, true);
`;
