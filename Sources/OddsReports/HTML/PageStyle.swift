/// How a page looks. Its hash is part of the page's policy, so that no other style has an effect.
///
/// The colours of sources are told apart by people who see red and green alike, and their dashes by those who see none.
enum PageStyle {
    /// Room for so many characters left of a plot.
    private static let gutters = (1...9).map { ".g\($0){padding-left:\($0 * 7 + 8)px}" }.joined()

    static let text = """

        :root{color-scheme:light dark;--paper:#fcfbf8;--raised:#f4f2ec;--ink:#1b1c1f;--soft:#585b62;--rule:#d8d5cb;
        --first:#0a5a9c;--second:#b34700;--third:#00705a;--fourth:#8a3783;
        --good:#19703d;--warning:#855600;--bad:#b01c28;--neutral:#5f626a}
        @media (prefers-color-scheme:dark){:root{--paper:#141619;--raised:#1d2024;--ink:#e7e5e0;--soft:#a6a9b0;--rule:#373a40;
        --first:#70b8f8;--second:#f7a35b;--third:#4ecaa6;--fourth:#dc9bd6;
        --good:#6dca8a;--warning:#e3b24d;--bad:#ff8f89;--neutral:#a0a4ab}}
        *{box-sizing:border-box}
        html{-webkit-text-size-adjust:100%;text-size-adjust:100%;background:var(--paper)}
        body{margin:0 auto;padding:2.2rem 1.25rem 3rem;max-width:58rem;background:var(--paper);color:var(--ink);
        font:400 .94rem/1.5 system-ui,-apple-system,"Segoe UI",Roboto,"Noto Sans","Liberation Sans",sans-serif;
        font-variant-numeric:tabular-nums lining-nums;overflow-wrap:break-word}
        h1,h2,h3{font-family:"Iowan Old Style","Palatino Linotype",Palatino,"URW Palladio L",P052,Charter,Georgia,"Noto Serif","Liberation Serif",serif;
        font-weight:600;line-height:1.2;text-wrap:balance;margin:0}
        h1{font-size:2rem;letter-spacing:-.012em}
        h2{font-size:1.24rem;margin:2.4rem 0 .7rem;padding-top:.6rem;border-top:1px solid var(--rule)}
        h3{font-size:1.02rem;min-width:0;overflow-wrap:anywhere}
        p{margin:.5rem 0;max-width:44rem}
        .kind{margin:0 0 .7rem;font-size:.8rem;letter-spacing:.06em;color:var(--soft)}
        .kind span{color:var(--ink);font-weight:600}
        .lead{font-size:1.06rem;margin:.7rem 0 0}
        .soft,.note,.axis,.empty,.count{color:var(--soft)}
        .hidden{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%);white-space:nowrap}
        .defs{position:absolute}
        .t-first{--c:var(--first)}.t-second{--c:var(--second)}.t-third{--c:var(--third)}.t-fourth{--c:var(--fourth)}
        .t-good{--c:var(--good)}.t-warning{--c:var(--warning)}.t-bad{--c:var(--bad)}.t-neutral{--c:var(--neutral)}
        .v-met{--c:var(--good)}.v-missed{--c:var(--bad)}.v-open{--c:var(--warning)}
        .verdicts{margin-top:1.5rem}
        .verdicts h2{margin:0;padding:.55rem 0 .5rem;border-top:3px solid var(--c);color:var(--c);font-size:1.36rem;display:flex;gap:.5rem;align-items:center}
        .verdicts ul{list-style:none;margin:0;padding:0;border-bottom:1px solid var(--rule)}
        .verdicts li{display:grid;grid-template-columns:5.6rem minmax(7rem,.8fr) minmax(9rem,1.35fr) minmax(9rem,1.25fr);gap:0 1rem;
        align-items:baseline;padding:.42rem 0;border-top:1px solid var(--rule)}
        .verdicts strong{font-size:1.02rem;font-weight:600}
        .verdicts .note{grid-column:2/-1;font-size:.86rem}
        .met{color:var(--c);font-weight:600;white-space:nowrap}
        .sign{flex:none;width:1.05em;height:1.05em;margin-right:.4em;vertical-align:-.16em;fill:var(--c);stroke:var(--paper);stroke-width:2;stroke-linecap:round;stroke-linejoin:round}
        h2 .sign{margin:0}
        .sign path{fill:none}.sign circle,.sign rect{stroke:none}
        .sign .ring{stroke:var(--c);stroke-width:1.5}.sign .ask{stroke:var(--c);stroke-width:1.7}
        .figures dl{display:grid;grid-template-columns:repeat(auto-fill,minmax(10.5rem,1fr));gap:1.1rem 1.5rem;margin:1.5rem 0 0}
        .figures dt{font-size:.84rem;color:var(--soft);line-height:1.3}
        .figures dd{margin:0;font-size:1.5rem;line-height:1.25;letter-spacing:-.01em}
        .figures dd.long{font-size:1.15rem}
        .figures dd.note{font-size:.82rem;letter-spacing:0;line-height:1.35}
        .tone{color:var(--c);font-size:.8em;margin-right:.3em}.tone.dot{font-size:.5em;vertical-align:.35em}
        figure{margin:1.1rem 0 1.1rem}
        figcaption{display:flex;flex-wrap:wrap;gap:0 .9rem;align-items:baseline}
        .axis{margin:0;font-size:.84rem}
        .legend{display:flex;flex-wrap:wrap;gap:.1rem 1.2rem;list-style:none;margin:.3rem 0 .2rem;padding:0;font-size:.86rem}
        .key{vertical-align:-.1em;margin-right:.45em}
        .canvas{position:relative;margin:.35rem 0 0;outline-offset:4px}
        \(gutters)
        .canvas>svg{display:block;overflow:visible}
        svg text{font-size:11.5px;fill:var(--soft);stroke:var(--paper);stroke-width:3.5px;paint-order:stroke;stroke-linejoin:round}
        svg .name{font-size:13px;fill:var(--ink);font-weight:600}
        svg .name .count{fill:var(--soft);font-weight:400;font-size:11.5px}
        svg .marked{fill:var(--ink)}
        .grid line{stroke:var(--rule);stroke-width:1;shape-rendering:crispEdges}
        .base,.notch{stroke:var(--soft);stroke-width:1;shape-rendering:crispEdges}
        .levels line{stroke:var(--ink);stroke-width:1;stroke-dasharray:5 4}
        .levels text{fill:var(--ink)}
        .mark{stroke:var(--ink);stroke-width:1;stroke-opacity:.75}
        .cursor{stroke:var(--ink);stroke-width:1}
        .data path,.key path{fill:none;stroke:var(--c);vector-effect:non-scaling-stroke}
        .l-steps,.l-line{stroke-width:1.6;stroke-linejoin:round}
        .l-points{stroke-width:5;stroke-linecap:round}
        .l-points.d-1,.l-points.d-3{stroke-linecap:square;stroke-width:4.5}
        .l-points.d-2{stroke-width:7}.l-points.d-3{stroke-width:7}
        .l-steps.d-1,.l-line.d-1{stroke-dasharray:7 3;stroke-width:1.9}
        .l-steps.d-2,.l-line.d-2{stroke-dasharray:2 3;stroke-width:2.1}
        .l-steps.d-3,.l-line.d-3{stroke-dasharray:9 3 2 3}
        .data .area{fill:var(--c);fill-opacity:.32;stroke:var(--c);stroke-width:1}
        .shade{fill:var(--c);fill-opacity:.17}
        .key .shade,.strip .shade{fill-opacity:.5}
        .strip .t-bad .shade{fill-opacity:.85}
        .unknown{fill:none;stroke:var(--rule)}
        .h-bad,.h-warning,.h-neutral{fill:none;stroke:var(--ink);stroke-opacity:.55}
        .h-warning{stroke-width:1.6;stroke-linecap:round}
        .h-neutral{stroke-opacity:.1}.bands:not(.strip) .t-warning{opacity:.7}
        .bands .t-neutral .shade{fill-opacity:.1}
        .readout{display:block;min-height:1.4em;margin:.1rem 0;font-size:.84rem;color:var(--ink)}
        .readout b{font-weight:600}.readout span{margin-left:.9em}
        details{margin:.5rem 0}
        summary{cursor:pointer;color:var(--ink);padding:.15rem 0;width:fit-content;text-decoration:underline;text-decoration-color:var(--rule);text-underline-offset:.2em}
        summary:hover{text-decoration-color:currentColor}
        .values>summary{font-size:.84rem;color:var(--soft)}
        .more{border-left:2px solid var(--rule);padding-left:.9rem}
        .scroll{overflow-x:auto;margin:.5rem 0 1rem}
        table{border-collapse:collapse;font-size:.88rem;line-height:1.4;min-width:min(100%,24rem)}
        caption{text-align:left;color:var(--soft);padding:0 0 .3rem}
        th,td{text-align:left;vertical-align:top;padding:.24rem 1.1rem .24rem 0;border-bottom:1px solid var(--rule);font-weight:400;overflow-wrap:normal}
        th:last-child,td:last-child{padding-right:0}
        thead th{font-weight:600;font-size:.82rem;color:var(--soft);border-bottom:1px solid var(--soft);vertical-align:bottom;white-space:nowrap}
        .n{text-align:right;white-space:nowrap}
        .w{min-width:17rem}.s{white-space:nowrap}
        code{font:inherit;font-family:ui-monospace,"SF Mono",Menlo,Consolas,"Liberation Mono",monospace;font-size:.92em}
        tbody tr:hover{background:var(--raised)}
        footer{margin-top:2.6rem;border-top:1px solid var(--rule);font-size:.86rem;color:var(--soft)}
        footer h2{border:0;margin:.9rem 0 .4rem;padding:0;font-size:1rem;color:var(--ink)}
        footer dl{margin:0 0 1rem;display:grid;gap:.15rem 1rem}
        footer dl>div{display:grid;grid-template-columns:9rem minmax(0,1fr);gap:0 1rem}
        footer dt{color:var(--soft)}footer dd{margin:0;color:var(--ink);overflow-wrap:anywhere}
        :focus-visible{outline:2px solid var(--first);outline-offset:2px}
        @media (max-width:40rem){body{padding:1.2rem 1rem 2rem}h1{font-size:1.6rem}
        .verdicts li{grid-template-columns:minmax(0,1fr) auto;gap:.1rem .8rem}
        .verdicts .what{order:1}.verdicts .met{order:2}.verdicts strong{order:3}.verdicts .asked{order:4}.verdicts .note{order:5}
        .verdicts strong,.verdicts .asked,.verdicts .note{grid-column:1/-1}
        .figures dl{grid-template-columns:repeat(auto-fill,minmax(8rem,1fr));gap:.9rem 1rem}.figures dd{font-size:1.28rem}.figures dd.long{font-size:1.05rem}
        .roomy{display:none}
        footer dl>div{grid-template-columns:1fr;margin-bottom:.3rem}}
        @media print{:root{color-scheme:light;--paper:#fff;--raised:#fff;--ink:#000;--soft:#444;--rule:#bbb;
        --first:#0a5a9c;--second:#b34700;--third:#00705a;--fourth:#8a3783;
        --good:#19703d;--warning:#855600;--bad:#b01c28;--neutral:#5f626a}
        body{padding:0;max-width:none;font-size:9.5pt}figure,.verdicts,.figures,tr{break-inside:avoid}h2,h3,figcaption{break-after:avoid}
        .values,.readout{display:none}.scroll{overflow:visible}*{print-color-adjust:exact;-webkit-print-color-adjust:exact}}
        @media (forced-colors:active){.shade,.area{forced-color-adjust:none}}

        """
}
