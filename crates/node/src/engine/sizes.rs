//! How much an engine remembers, for whoever watches that it does not grow.

use std::collections::BTreeMap;

use super::Engine;

impl<S> Engine<S> {
    /// Everything in memory whose size is not fixed, and how many of each there are.
    ///
    /// Sessions and devices grow with what was agreed on; all else is empty or small when nothing is
    /// under way.
    pub fn sizes(&self) -> [(&'static str, usize); 15] {
        let shares = self.connections.0.values().filter_map(|one| one.ready());
        let recent = self.recent.values().map(|recent| recent.events.len());
        [
            ("sessions", self.sessions.len()),
            ("devices", self.devices.len()),
            (
                "outside",
                self.outside.values().map(BTreeMap::len).sum::<usize>() + self.told.len(),
            ),
            ("connections", self.connections.0.len()),
            ("shares", shares.map(|ready| ready.shares.len()).sum()),
            ("met", self.met.len()),
            ("addresses", self.addresses.len()),
            ("recent events", recent.sum()),
            ("named", self.named.len()),
            ("outputs", self.outputs.len()),
            ("resume", self.resume.len()),
            ("early", self.early.values().map(Vec::len).sum()),
            ("fetching", self.fetching.len()),
            ("mending", self.mending.len()),
            ("typing", self.typing.len()),
        ]
    }
}
