//! What is wrong, as one page to look at: the network, who holds what, and the way of the events in question
//! from device to device. Nothing of it comes from elsewhere.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write,
};

use tenet_log::{
    ids::{EventId, SessionId},
    store::{LogStore, Position},
};

use super::{Crowd, Plan};
use crate::{machine::BEGINNING, model::Fate};

/// How many events' ways are shown.
const MOST_EVENTS: usize = 6;

const STYLE: &str = "
:root{color-scheme:light dark;--line:color-mix(in srgb,CanvasText 25%,Canvas);--soft:color-mix(in srgb,CanvasText 60%,Canvas)}
body{font:15px/1.5 system-ui,sans-serif;max-width:70rem;margin:2rem auto;padding:0 1rem;background:Canvas;color:CanvasText}
h1{font-size:1.3rem}h2{font-size:1.05rem;margin-top:2rem}
code,pre,td.n{font-family:ui-monospace,monospace;font-size:.85rem}
pre{white-space:pre-wrap;border:1px solid var(--line);border-radius:6px;padding:.7rem;overflow-wrap:anywhere}
table{border-collapse:collapse;width:100%}td,th{border-bottom:1px solid var(--line);padding:.25rem .5rem;text-align:left;vertical-align:top}
.wrong{border-left:4px solid #d33;padding-left:.8rem}.soft{color:var(--soft)}
svg{width:100%;height:auto;max-height:36rem}svg text{fill:CanvasText;font:11px system-ui}
.lack{background:color-mix(in srgb,#d33 30%,Canvas)}.has{background:color-mix(in srgb,#2a2 18%,Canvas)}
details{margin:.5rem 0}";

impl Crowd {
    /// The page, as HTML.
    pub fn page(&self, plan: &Plan, wrong: &str) -> String {
        let mut page = format!(
            "<!doctype html><html lang=en><meta charset=utf-8><meta name=viewport content='width=device-width'>\
             <title>seed {}</title><style>{STYLE}</style><h1>Seed {}: what is wrong</h1>\
             <p class=wrong>{}</p><p>Again: <code>cargo run --release -p tenet-sim -- {plan}</code></p>",
            plan.seed,
            plan.seed,
            escaped(wrong)
        );
        self.network(&mut page);
        let doubtful = self.holdings(&mut page, wrong);
        self.ways(&mut page, &doubtful);
        self.story(&mut page);
        page
    }

    fn network(&self, page: &mut String) {
        let many = self.world.nodes.len();
        let place = |node: usize| {
            let turn = node as f64 / many as f64 * std::f64::consts::TAU;
            (300.0 + 230.0 * turn.sin(), 260.0 - 220.0 * turn.cos())
        };
        page.push_str("<h2>The network at its end</h2><svg viewBox='0 0 600 520' role=img>");
        for (one, other) in self.world.connected() {
            let ((a, b), (c, d)) = (place(one), place(other));
            let _ = write!(
                page,
                "<line x1={a:.0} y1={b:.0} x2={c:.0} y2={d:.0} stroke='#888' stroke-opacity=.4 />"
            );
        }
        for (number, node) in self.world.nodes.iter().enumerate() {
            let (x, y) = place(number);
            let colour = match (node.engine(), self.model.is_lawless(node.person())) {
                (_, true) => "#d33",
                (None, _) => "#999",
                _ => "#2a7",
            };
            let _ = write!(
                page,
                "<circle cx={x:.0} cy={y:.0} r=9 fill='{colour}'/><text x={:.0} y={:.0}>{number}</text>",
                x + 12.0,
                y + 4.0
            );
        }
        page.push_str("</svg><p class=soft>Green runs, grey does not, red does whatever it likes; lines are connections that stand.</p>");
    }

    /// Who holds how much of what; gives the events that not all hold, or that are named.
    fn holdings(&self, page: &mut String, wrong: &str) -> Vec<(SessionId, EventId)> {
        let mut doubtful = Vec::new();
        page.push_str("<h2>Who holds what</h2>");
        for (session, room) in &self.model.rooms {
            let held = room
                .fates
                .keys()
                .map(|node| (*node, self.events(*node, *session)));
            let held: BTreeMap<usize, BTreeSet<EventId>> = held.collect();
            let all: BTreeSet<EventId> = held.values().flatten().copied().collect();
            let _ = write!(
                page,
                "<table><tr><th colspan=3>session <code>{:.12}</code>, founded by node {}{}</th></tr>",
                session.to_string(),
                room.founder,
                if room.over { ", over" } else { "" }
            );
            for (node, events) in &held {
                let lacks = all.len() - events.len();
                let fate = room.fates[node];
                let class = if lacks > 0 { "lack" } else { "has" };
                let _ = write!(
                    page,
                    "<tr><td>node {node}</td><td>{fate:?}</td><td class={class}>{} events, lacks {lacks}</td></tr>",
                    events.len()
                );
            }
            page.push_str("</table>");
            let expected = |node: &usize| matches!(room.fates[node], Fate::In | Fate::Brought);
            let missing = all.iter().filter(|id| {
                let lacks = |(node, events): (&usize, &BTreeSet<EventId>)| {
                    expected(node) && !events.contains(*id)
                };
                held.iter().any(lacks) || wrong.contains(&format!("{id:?}"))
            });
            doubtful.extend(missing.map(|id| (*session, *id)));
        }
        doubtful
    }

    fn events(&self, node: usize, session: SessionId) -> BTreeSet<EventId> {
        let disk = self.world.nodes[node].disk();
        let all = disk.since(session, Position::default(), 1 << 30);
        let all = all.unwrap_or_default();
        all.iter().map(|stored| stored.event.id()).collect()
    }

    fn ways(&self, page: &mut String, doubtful: &[(SessionId, EventId)]) {
        page.push_str("<h2>The way of the events in question</h2>");
        if doubtful.is_empty() {
            page.push_str("<p>None is lacking anywhere, and none is named.</p>");
        }
        for (session, id) in doubtful.iter().take(MOST_EVENTS) {
            let said = self
                .model
                .rooms
                .get(session)
                .and_then(|room| room.said.get(id));
            let what = said.map_or_else(String::new, |said| {
                format!("node {}: {:?}", said.device, said.text)
            });
            let _ = write!(
                page,
                "<table><tr><th colspan=4><code>{id:?}</code> {}</th></tr><tr><th>left</th><th>came</th><th>from</th><th>to</th></tr>",
                escaped(&what)
            );
            for frame in self
                .world
                .trail
                .iter()
                .filter(|frame| frame.events.contains(id))
            {
                let _ = write!(
                    page,
                    "<tr><td class=n>{}</td><td class=n>{}</td><td>{}</td><td>{}</td></tr>",
                    clock(frame.sent),
                    clock(frame.came),
                    frame.from,
                    frame.to
                );
            }
            page.push_str("</table>");
        }
    }

    fn story(&self, page: &mut String) {
        page.push_str("<h2>What was done, and what went wrong</h2><details open><summary>everything</summary><pre>");
        for (at, what) in &self.tale {
            let _ = writeln!(page, "{} {}", clock(*at), escaped(what));
        }
        page.push_str("</pre></details>");
    }
}

/// Virtual time since the beginning.
fn clock(at: u64) -> String {
    let at = at.saturating_sub(BEGINNING);
    let (seconds, rest) = (at / 1000, at % 1000);
    format!(
        "{:02}:{:02}:{:02}.{rest:03}",
        seconds / 3600,
        seconds / 60 % 60,
        seconds % 60
    )
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}
