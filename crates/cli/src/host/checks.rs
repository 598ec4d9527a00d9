//! A thread that checks signatures while the engine stores what was checked before.
//!
//! ```text
//! engine   ── check FIRST ── store ─── store ─── store ───
//! beside      ── check STEP ── check STEP ── check …
//! ```

use std::{
    sync::mpsc::{Receiver, Sender, channel},
    thread,
};

use rand_chacha::ChaCha20Rng;
use rand_core::{CryptoRng, SeedableRng};
use tenet_log::event::{Answers, AtOnce, Checks, Claim, check};

/// Fewer claims are checked where they are asked about: to wake a thread for them takes as long.
const FEW: usize = 192;

/// How many the asker checks itself, so that it has something to store while the thread checks the next.
const FIRST: usize = 96;

/// How many the thread checks together. Checking is about twice as fast as storing, so the next answers are there
/// when the asker has stored [`FIRST`]; more together are hardly cheaper.
const STEP: usize = 240;

/// Asks a thread of its own, from when there is first enough for it; it ends with this.
#[derive(Default)]
pub struct Beside(Option<Sender<Job>>);

struct Job {
    claims: Vec<Claim>,
    seed: [u8; 32],
    answers: Sender<Vec<bool>>,
}

fn start() -> Sender<Job> {
    let (jobs, queue) = channel();
    let begun = thread::Builder::new().name("checks".into());
    if let Err(error) = begun.spawn(|| work(queue)) {
        // Nobody listens then, and whoever asks checks by itself.
        tracing::warn!(%error, "no thread to check signatures");
    }
    jobs
}

fn work(queue: Receiver<Job>) {
    for job in queue {
        let mut rng = ChaCha20Rng::from_seed(job.seed);
        for claims in job.claims.chunks(STEP) {
            if job.answers.send(check(&mut rng, claims)).is_err() {
                // The asker met a wrong one, and wants to know no more.
                break;
            }
        }
    }
}

impl Checks for Beside {
    fn check(&mut self, rng: &mut dyn CryptoRng, mut claims: Vec<Claim>) -> Answers {
        if claims.len() < FEW {
            return AtOnce.check(rng, claims);
        }
        let rest = claims.split_off(FIRST);
        let mut seed = [0; 32];
        rng.fill_bytes(&mut seed);
        let (answers, answered) = channel();
        // Where the thread is gone nothing is answered, and whoever asked checks by itself.
        let _ = self.0.get_or_insert_with(start).send(Job {
            claims: rest,
            seed,
            answers,
        });
        let first = check(rng, &claims);
        Box::new(first.into_iter().chain(answered.into_iter().flatten()))
    }
}

#[cfg(test)]
mod tests {
    #![allow(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::indexing_slicing
    )]

    use tenet_identity::keys::DeviceKey;
    use tenet_log::{
        clock::Hlc,
        event::{Content, Event, Header, Kind, Unverified, verify_all},
        ids::{EventId, SessionId},
    };

    use super::*;

    #[test]
    fn a_thread_answers_like_whoever_asks() {
        let forged = [5, FIRST + 1, FIRST + STEP, 2 * STEP];
        let events = said(FIRST + 2 * STEP + 7, &forged);
        let mut beside = Beside::default();
        for some in [&events[..], &events[..FEW - 1]] {
            let [ours, theirs] = [&mut beside as &mut dyn Checks, &mut AtOnce].map(|checks| {
                let answers = verify_all(checks, &mut rng(), some.to_vec());
                answers
                    .map(|one| one.ok().map(|event| event.id()))
                    .collect::<Vec<_>>()
            });
            assert_eq!(ours, theirs);
            let ids: Vec<EventId> = some.iter().map(Unverified::id).collect();
            for (at, id) in ids.into_iter().enumerate() {
                assert_eq!(ours[at], (!forged.contains(&at)).then_some(id), "{at}");
            }
        }
    }

    #[test]
    fn whoever_stops_listening_or_loses_the_thread_has_its_answers() {
        let events = said(FEW + 3 * STEP, &[FIRST]);
        let mut beside = Beside::default();
        let mut first = verify_all(&mut beside, &mut rng(), events.clone());
        assert!(first.next().unwrap().is_ok());
        drop(first);
        let judge = |checks: &mut dyn Checks| {
            let answers = verify_all(checks, &mut rng(), events.clone());
            answers.map(|one| one.is_ok()).collect::<Vec<_>>()
        };
        let judged = judge(&mut beside);
        let (gone, _) = channel();
        assert_eq!(judge(&mut Beside(Some(gone))), judged);
        assert_eq!(judged.iter().filter(|holds| !**holds).count(), 1);
    }

    /// Events of one device, some of them signed by another.
    fn said(count: usize, forged: &[usize]) -> Vec<Unverified> {
        let keys = [DeviceKey::from_seed([1; 32]), DeviceKey::from_seed([2; 32])];
        let event = |at: usize| {
            let header = Header {
                session: Some(SessionId::from([3; 32])),
                device: keys[0].public(),
                added_by: Some(EventId::from([4; 32])),
                seq: at as u64 + 1,
                prev: Some(EventId::from([5; 32])),
                deps: Vec::new(),
                time: Hlc::from_millis(at as u64),
                kind: Kind::new("chat.text").unwrap(),
                content: Content::Payload(vec![7]),
                expires: None,
            };
            let key = &keys[usize::from(forged.contains(&at))];
            Unverified::decode(&Event::sign(key, header, None).to_wire()).unwrap()
        };
        (0..count).map(event).collect()
    }

    fn rng() -> ChaCha20Rng {
        ChaCha20Rng::from_seed([6; 32])
    }
}
