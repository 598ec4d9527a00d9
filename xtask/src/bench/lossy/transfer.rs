//! A file from one node to another over the bad way: in one go, and with three cuts.

use std::path::{Path, PathBuf};
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};

use super::super::api::Api;
use super::super::files::{random_file, same};
use super::super::node::{Folder, Home, Running, introduce};
use super::way::{ADDRESSES, Way};

const SIZE: usize = 100 << 20;
/// How long the way is cut: a connection has no life left after 25 s (`NET-6`).
const CUT: Duration = Duration::from_secs(30);
/// How often the receiver is asked how far it is.
const GLANCE: Duration = Duration::from_millis(10);
/// A gap that is longer is no mere jitter.
const STILL: Duration = Duration::from_secs(1);
const PATIENCE: Duration = Duration::from_secs(900);

/// What ends a connection.
#[derive(Clone, Copy)]
enum Cut {
    Way,
    Giver,
    Taker,
}

/// Two nodes and the way between them.
struct Scene<'a> {
    way: &'a Way,
    folder: PathBuf,
    alice: Home,
    bob: Home,
    alice_node: Option<Running>,
    bob_node: Option<Running>,
}

/// What a transfer came to.
pub(super) struct Figures {
    /// MB (10^6 bytes) a second from the yes until all is verified.
    pub(super) rate: f64,
    /// The part of that time in which nothing came.
    pub(super) idle: f64,
    /// Which part of the file the receiver's program had and asked for again.
    pub(super) repeated: f64,
    /// Bytes of UDP that reached the receiver, for each byte of the file.
    pub(super) arrived: f64,
}

/// A file without cuts, then another with one of each kind.
pub(super) fn compare(release: &Path, way: &Way) -> Result<[Figures; 2]> {
    let folder = Folder::new("lossy")?;
    let mut scene = Scene::new(release, folder.path(), way)?;
    let whole = scene.transfer("whole.bin", &[])?;
    let cut = scene.transfer("cut.bin", &[Cut::Way, Cut::Giver, Cut::Taker])?;
    Ok([whole, cut])
}

impl<'a> Scene<'a> {
    fn new(release: &Path, folder: &Path, way: &'a Way) -> Result<Self> {
        let mut scene = Self {
            way,
            folder: folder.to_owned(),
            alice: Home::make(release, folder, "Alice")?,
            bob: Home::make(release, folder, "Bob")?,
            alice_node: None,
            bob_node: None,
        };
        scene.up(Cut::Giver)?;
        scene.up(Cut::Taker)?;
        introduce(&scene.alice, &scene.bob)?;
        Ok(scene)
    }

    fn transfer(&mut self, name: &str, cuts: &[Cut]) -> Result<Figures> {
        let file = self.folder.join(name);
        random_file(&file, SIZE)?;
        let params = json!({"who": "Bob", "files": [file], "wait": "delivered"});
        let sent = self.alice.api()?.call("send", &params)?;
        let id = sent.get("id").context("no id")?;
        let before = self.way.arrived(1);
        let mut watch = Watch::default();
        let mut bob = self.bob.api()?;
        bob.call("transfer_resume", &json!({"id": id}))?;
        for (at, cut) in cuts.iter().enumerate() {
            let until = (at + 1) as f64 / (cuts.len() + 1) as f64;
            if watch.until(&mut bob, (until * SIZE as f64) as u64)? {
                bail!("all of it was there before it could be cut");
            }
            self.cut(*cut, &mut watch)?;
            bob = self.bob.api()?;
        }
        watch.until(&mut bob, SIZE as u64)?;
        let took = watch.begin.elapsed().as_secs_f64();
        let arrived = (self.way.arrived(1) - before) as f64;
        let to = self.folder.join("saved");
        std::fs::create_dir_all(&to)?;
        bob.call("save", &json!({"id": id, "to": to}))?;
        if !same(&file, &to.join(name))? {
            bail!("what arrived is not what was sent");
        }
        Ok(Figures {
            rate: SIZE as f64 / 1e6 / took,
            idle: watch.idle.as_secs_f64() / took,
            repeated: watch.repeated as f64 / SIZE as f64,
            arrived: arrived / SIZE as f64,
        })
    }

    /// Cuts, and restores what was cut.
    fn cut(&mut self, cut: Cut, watch: &mut Watch) -> Result<()> {
        match cut {
            Cut::Way => {
                self.way.cut(true);
                // The receiver goes on to count what it has until it gives the connection up.
                let mut bob = self.bob.api()?;
                let begin = Instant::now();
                while begin.elapsed() < CUT {
                    watch.look(&mut bob)?;
                    sleep(GLANCE);
                }
                self.way.cut(false);
            }
            Cut::Giver => self.alice_node.take().context("no node")?.kill()?,
            Cut::Taker => self.bob_node.take().context("no node")?.kill()?,
        }
        self.up(cut)
    }

    /// Starts the node that was killed, if one was.
    fn up(&mut self, cut: Cut) -> Result<()> {
        let ([alice, bob], [at_alice, at_bob]) = (&self.way.ends, ADDRESSES);
        match cut {
            Cut::Way => {}
            Cut::Giver => {
                self.alice_node = Some(alice.inside(|| self.alice.up_at(at_alice))?);
            }
            Cut::Taker => self.bob_node = Some(bob.inside(|| self.bob.up_at(at_bob))?),
        }
        Ok(())
    }
}

/// The receiver's node, watched.
struct Watch {
    begin: Instant,
    /// When more was last seen to be there.
    moved: Instant,
    idle: Duration,
    /// What was there when the fetch began that is under way.
    from: u64,
    done: u64,
    /// What came over the network in that fetch.
    came: u64,
    repeated: u64,
}

impl Default for Watch {
    fn default() -> Self {
        Self {
            begin: Instant::now(),
            moved: Instant::now(),
            idle: Duration::ZERO,
            from: 0,
            done: 0,
            came: 0,
            repeated: 0,
        }
    }
}

impl Watch {
    /// Returns when so many bytes are there, and whether that is all.
    fn until(&mut self, bob: &mut Api, bytes: u64) -> Result<bool> {
        while self.begin.elapsed() < PATIENCE {
            let whole = self.look(bob)?;
            if whole || self.done >= bytes && bytes < SIZE as u64 {
                return Ok(whole);
            }
            sleep(GLANCE);
        }
        bail!("the file did not come within {PATIENCE:?}")
    }

    /// Whether all is there.
    fn look(&mut self, bob: &mut Api) -> Result<bool> {
        let list = bob.call("transfers", &json!({}))?;
        let Some(row) = list.pointer("/transfers/0") else {
            return Ok(true);
        };
        let number = |key| row.get(key).and_then(Value::as_u64).unwrap_or_default();
        let (done, came) = (number("done"), number("came"));
        // Nothing is known of a fetch that waits for a connection.
        if done == 0 {
            return Ok(false);
        }
        // Another fetch, which begins with what is kept.
        if came < self.came {
            self.repeated += again(self.came, done.saturating_sub(self.from));
            (self.from, self.done) = (done, done);
        }
        if done > self.done {
            let gap = self.moved.elapsed();
            self.idle += gap.checked_sub(STILL).map_or(Duration::ZERO, |_| gap);
            self.moved = Instant::now();
        }
        (self.done, self.came) = (done.max(self.done), came);
        Ok(false)
    }
}

/// How much of what came in a fetch must come again if so much of it is kept: it came with a 1,024th of
/// proofs (`BLOB-7`).
fn again(came: u64, kept: u64) -> u64 {
    came.saturating_sub(kept.saturating_add(kept / 1024))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_kept_comes_again() {
        assert_eq!(again(1025, 1024), 0);
        assert_eq!(again(65_536 + 100, 65_536), 36);
        assert_eq!(again(0, 500), 0);
    }
}
