"""How the page looks: one style for light, dark, phone and paper."""

STYLE = """
:root { color-scheme: light; --ink: #1c2024; --soft: #5c616a; --paper: #fff; --line: #d9dbe1;
  --tile: #f5f6f8; --good: #18794e; --bad: #c6262c; --curve: #3157c9; --warn: #8a5a00;
  --warn-tile: #fff7e0; --wave: #e9edf5; --window: #6b7280; --person: #c98a00; --controller: #c2410c;
  --approval: #8a4fd0; --undriven: #d1374a; --proving: #4c7cf0; --settling: #2ba58a;
  --in-doubt: #d9480f; --resting: #e0a800; --between: #c5cad3; --holding: #9b6dd6; --bar: #a6b8ee; }
@media screen and (prefers-color-scheme: dark) { :root { color-scheme: dark; --ink: #edeef0;
  --soft: #a9afb8; --paper: #111214; --line: #34383f; --tile: #1a1c20; --good: #4cc38a; --bad: #ff8b86;
  --curve: #8fa8ff; --warn: #f2c14e; --warn-tile: #2b2410; --wave: #20242c; --window: #8b93a1;
  --person: #e8b339; --controller: #f08a4b; --approval: #b98af0; --undriven: #ff7a88;
  --proving: #6e96ff; --settling: #3cc3a3; --in-doubt: #ff7f3f; --resting: #f0c22e;
  --between: #525965; --holding: #b58cf0; --bar: #4f5d92; } }
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 2rem 1.5rem 3rem; max-width: 60rem; color: var(--ink);
  background: var(--paper); font: 16px/1.5 system-ui, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif;
  -webkit-text-size-adjust: 100%; }
h1 { font-size: 1.75rem; line-height: 1.25; margin: 0; overflow-wrap: anywhere; text-wrap: balance; }
h2 { font-size: 1.2rem; line-height: 1.3; margin: 2.75rem 0 .5rem; padding-top: .75rem; border-top: 1px solid var(--line); }
p { margin: .35rem 0; max-width: 46rem; overflow-wrap: anywhere; }
.soft { color: var(--soft); } .small { font-size: .875rem; }
.kicker { color: var(--soft); font-size: .875rem; letter-spacing: .02em; }
.lead { font-size: 1.1rem; margin: .5rem 0 0; }
.outcome { font-size: 1.1rem; font-weight: 600; margin: 1rem 0 0; }
.state { display: inline-block; margin: .75rem 0 0; padding: .15rem .7rem; border-radius: 1rem; font-weight: 600;
  font-size: .9rem; border: 1px solid currentColor; }
.state::first-letter, .matter::first-letter { text-transform: uppercase; }
.state.good { color: var(--good); } .state.bad { color: var(--bad); } .state.warn { color: var(--warn); }
.matter, .live { padding: .6rem .9rem; margin: .75rem 0; border-left: 4px solid var(--warn); background: var(--warn-tile);
  max-width: none; }
.live { border: 1px solid var(--warn); border-left-width: 4px; }
.facts { display: grid; grid-template-columns: max-content 1fr; gap: .3rem 1.25rem; margin: 1.25rem 0 0; }
.facts dt { color: var(--soft); } .facts dd { margin: 0; overflow-wrap: anywhere; }
.tiles { display: flex; flex-wrap: wrap; gap: .75rem; margin: 1.25rem 0 0; padding: 0; list-style: none; }
.tiles li { flex: 1 1 8rem; max-width: 16rem; padding: .75rem 1rem; border-radius: .5rem; background: var(--tile);
  border: 1px solid var(--line); color: var(--soft); font-size: .925rem; }
.tiles b { display: block; font-size: 1.75rem; line-height: 1.2; font-variant-numeric: tabular-nums; color: var(--ink); }
.tiles .good b, b.good { color: var(--good); } .tiles .bad b, b.bad { color: var(--bad); }
.tiles .dim b { color: var(--soft); }
.scroll { overflow-x: auto; margin: .75rem 0; }
table { width: 100%; border-collapse: collapse; font-size: .925rem; }
th, td { padding: .45rem .75rem .45rem 0; text-align: left; vertical-align: top; border-bottom: 1px solid var(--line); }
th { color: var(--soft); font-weight: 500; white-space: nowrap; }
td { overflow-wrap: break-word; } td.n, th.n { text-align: right; font-variant-numeric: tabular-nums; }
td.t { white-space: nowrap; font-variant-numeric: tabular-nums; }
th.n:not(:last-child), td.n:not(:last-child) { padding-right: 1.75rem; }
th:last-child, td:last-child { padding-right: 0; }
tr.group th { padding-top: 1.1rem; color: var(--ink); font-weight: 600; white-space: normal; overflow-wrap: anywhere; }
tr.group span { margin-left: .4rem; color: var(--soft); font-weight: 400; }
figure { margin: 1rem 0; }
.plot { display: block; width: 100%; height: auto; stroke-linejoin: round; stroke-linecap: butt; }
.plot text { font-family: inherit; } .narrow { display: none; max-width: 32rem; }
.keys { display: flex; flex-wrap: wrap; gap: .25rem 1.1rem; margin: .4rem 0 0; padding: 0; list-style: none;
  color: var(--soft); font-size: .875rem; }
.keys i { display: inline-block; width: 1rem; height: .7rem; margin-right: .4rem; border-radius: 2px; vertical-align: -.05rem; }
.keys i.shade { opacity: .4; }
.keys i.line, .keys i.dashed { height: 0; border-radius: 0; vertical-align: .25rem; border-top: 2px solid; }
.keys i.dashed { border-top-style: dashed; } .keys i.dotted { border-top-style: dotted; }
.keys i.cross, .keys i.dot { width: auto; height: auto; font-style: normal; font-weight: 700; vertical-align: 0; }
code { font: .85em ui-monospace, "SF Mono", Menlo, Consolas, monospace; overflow-wrap: anywhere; }
footer { margin-top: 2.5rem; padding-top: .75rem; border-top: 1px solid var(--line); color: var(--soft); font-size: .875rem; }
@media screen and (max-width: 640px) {
  body { padding: 1.25rem 1rem 2rem; } h1 { font-size: 1.4rem; } .wide { display: none; } .narrow { display: block; }
  .facts { grid-template-columns: 1fr; gap: 0; } .facts dd { margin-bottom: .5rem; }
  .tiles { gap: .5rem; } .tiles li { flex-basis: 40%; padding: .6rem .75rem; }
  .stack thead { display: none; } .stack, .stack tbody, .stack tr, .stack th { display: block; }
  .stack tr { padding: .5rem 0; border-bottom: 1px solid var(--line); }
  .stack td { display: inline-block; max-width: 100%; border: 0; padding: 0 1rem 0 0; text-align: left; white-space: normal; }
  .stack td:first-child { display: block; font-weight: 600; }
  .stack td.n:not(:last-child) { text-align: left; padding-right: 1rem; } .stack tr.group th { border: 0; padding-top: .5rem; }
  .stack td:empty { display: none; }
  .stack td::before { content: attr(data-head) " "; color: var(--soft); font-weight: 400; }
}
@page { size: A4; margin: 16mm 15mm; }
@media print {
  body { max-width: none; padding: 0; font-size: 10.5pt; print-color-adjust: exact; -webkit-print-color-adjust: exact; }
  h1 { font-size: 18pt; } h2 { break-after: avoid; margin-top: 1.75rem; }
  section > p:not(:last-child) { break-after: avoid; } .lead, .outcome { font-size: 12pt; }
  tr, .tiles li, .matter, .live, figure { break-inside: avoid; } thead { display: table-header-group; }
  tr.group { break-after: avoid; } .scroll { overflow: visible; } table { font-size: 9pt; } p { max-width: none; }
}
"""  # noqa: E501 - a rule a line reads better than one folded
