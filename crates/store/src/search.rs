//! Search's trait over SQLite's full-text index (FTS5), which is in the same encrypted pages.
//!
//! Beside its words a message is indexed under what filters ask for: its session, who wrote it,
//! whether it has files, and the day. So a filter is one more word that must be there, and a common
//! word in one small conversation costs no walk through all others.

use std::fmt::Write;

use rusqlite::params;
use tenet_apps::chat::search::{Filter, Query, SearchStore, index::Indexed};
use tenet_identity::keys::IdentityId;
use tenet_log::{
    event::Event,
    store::{Position, StoreError},
};

use crate::{Store, records::Kind, stored::EVENT_COLUMNS};

/// Words that were taken out are only marked so, until the segments of the index that hold them are
/// merged: the first step gathers all segments for it, the next ones merge (SQLite, FTS5, 6.8).
const FIRST_STEP: u8 = 0;
const NEXT_STEP: u8 = 1;

/// How many pages a step writes: a few milliseconds.
const STEP_PAGES: i64 = 64;

const DAY_MS: u64 = 24 * 60 * 60 * 1000;

/// Spans of days that are words of their own, as powers of two, so that every time between two
/// days is some tens of words: a day, sixteen, 256.
const SPANS: [u32; 3] = [8, 4, 0];

/// The last day that is told from others: in the year 2239.
const LAST_DAY: u64 = (1 << 18) - 1;

impl SearchStore for Store {
    fn logged_after(
        &self,
        position: Position,
        limit: usize,
    ) -> Result<Vec<(Position, Event)>, StoreError> {
        let sql = format!(
            "SELECT {EVENT_COLUMNS} FROM event WHERE position > ?1 ORDER BY position LIMIT ?2"
        );
        let rows = self.stored_rows(&sql, params![position.0, limit as i64])?;
        let events = rows.into_iter();
        Ok(events
            .map(|stored| (stored.position, stored.event))
            .collect())
    }

    fn has_after(&self, position: Position) -> Result<bool, StoreError> {
        let last: Option<Option<i64>> =
            self.one("SELECT max(position) FROM event", [], |row| row.get(0))?;
        Ok(last.flatten().is_some_and(|last| last > position.0))
    }

    fn indexed_to(&self) -> Result<Position, StoreError> {
        let bytes = self.record(Kind::IndexedTo, &[])?;
        let bytes: Option<[u8; 8]> = bytes.and_then(|bytes| bytes.try_into().ok());
        Ok(bytes.map_or_else(Position::default, |bytes| {
            Position(i64::from_be_bytes(bytes))
        }))
    }

    fn set_indexed_to(&mut self, position: Position) -> Result<(), StoreError> {
        self.put_record(Kind::IndexedTo, &[], &position.0.to_be_bytes())
    }

    fn put_words(&mut self, indexed: &Indexed) -> Result<(), StoreError> {
        let session = self.session_row(indexed.session)?;
        let mut scope = format!("s{session} {}", author(indexed.identity));
        for span in SPANS {
            let _ = write!(scope, " {}", day(indexed.millis / DAY_MS, span));
        }
        if indexed.files {
            scope.push_str(" f");
        }
        self.execute(
            "INSERT OR REPLACE INTO word (rowid, words, scope) VALUES (?1, ?2, ?3)",
            params![indexed.position.0, indexed.words, scope],
        )
    }

    fn remove_words(&mut self, position: Position) -> Result<(), StoreError> {
        if self.change("DELETE FROM word WHERE rowid = ?1", [position.0])? > 0 {
            self.put_record(Kind::WordsToForget, &[], &[FIRST_STEP])?;
        }
        Ok(())
    }

    fn has_words_to_forget(&self) -> Result<bool, StoreError> {
        Ok(self.record(Kind::WordsToForget, &[])?.is_some())
    }

    fn forget_words(&mut self) -> Result<bool, StoreError> {
        let Some(step) = self.record(Kind::WordsToForget, &[])? else {
            return Ok(false);
        };
        let first = step == [FIRST_STEP];
        let pages = if first { -STEP_PAGES } else { STEP_PAGES };
        let before = self.db.total_changes();
        self.execute(
            "INSERT INTO word (word, rank) VALUES ('merge', ?1)",
            [pages],
        )?;
        // That statement counts as one.
        let done = self.db.total_changes().saturating_sub(before) < 2;
        if done && !first {
            self.remove_record(Kind::WordsToForget, &[])?;
            return Ok(false);
        }
        if first {
            self.put_record(Kind::WordsToForget, &[], &[NEXT_STEP])?;
        }
        Ok(true)
    }

    fn find(
        &self,
        query: &Query,
        filter: &Filter,
        before: Option<Position>,
        limit: usize,
    ) -> Result<Vec<Position>, StoreError> {
        let Some(wanted) = self.expression(query, filter)? else {
            return Ok(Vec::new());
        };
        let before = before.map_or(i64::MAX, |before| before.0);
        self.collect(
            "SELECT rowid FROM word WHERE word MATCH ?1 AND rowid < ?2 \
             ORDER BY rowid DESC LIMIT ?3",
            params![wanted, before, limit as i64],
            |row| row.get(0).map(Position),
        )
    }
}

impl Store {
    /// The full-text expression; `None` where nothing can be found. Every word is quoted, so none
    /// is an operator, and folded words hold no quotation mark (`STORE-201`).
    fn expression(&self, query: &Query, filter: &Filter) -> Result<Option<String>, StoreError> {
        let mut parts = Vec::new();
        if !filter.sessions.is_empty() {
            let mut sessions = Vec::new();
            for session in &filter.sessions {
                let row = self.find_session(*session)?;
                sessions.extend(row.map(|row| format!("s{row}")));
            }
            if sessions.is_empty() {
                return Ok(None);
            }
            parts.push(format!("scope : ({})", sessions.join(" OR ")));
        }
        if let Some(identity) = filter.identity {
            parts.push(format!("scope : {}", author(identity)));
        }
        if filter.files {
            parts.push("scope : f".to_owned());
        }
        if filter.since.is_some() || filter.until.is_some() {
            let first = filter.since.unwrap_or(0) / DAY_MS;
            let last = filter.until.unwrap_or(u64::MAX) / DAY_MS;
            let days = days(first, last.min(LAST_DAY));
            if days.is_empty() {
                return Ok(None);
            }
            parts.push(format!("scope : ({})", days.join(" OR ")));
        }
        let last = query.phrases().len().checked_sub(1);
        for (number, phrase) in query.phrases().iter().enumerate() {
            let goes_on = query.is_prefix() && Some(number) == last;
            let star = if goes_on { "*" } else { "" };
            parts.push(format!("words : \"{}\"{star}", phrase.join(" ")));
        }
        Ok(Some(parts.join(" AND ")))
    }
}

/// Two identities that share eight bytes were made on purpose and are both found.
fn author(identity: IdentityId) -> String {
    let mut word = "i".to_owned();
    for byte in identity.as_bytes().iter().take(8) {
        let _ = write!(word, "{byte:02x}");
    }
    word
}

fn day(day: u64, span: u32) -> String {
    let letter = match span {
        0 => 'd',
        4 => 'e',
        _ => 'g',
    };
    format!("{letter}{}", day.min(LAST_DAY) >> span)
}

/// The fewest words that cover these days, first and last included.
fn days(first: u64, last: u64) -> Vec<String> {
    let mut words = Vec::new();
    let mut next = first;
    while next <= last {
        let fits = |span: &u32| {
            let length = 1_u64 << span;
            next.is_multiple_of(length) && length - 1 <= last - next
        };
        let span = SPANS.into_iter().find(fits).unwrap_or(0);
        words.push(day(next, span));
        next += 1 << span;
    }
    words
}

#[cfg(test)]
mod tests {
    use super::days;

    #[test]
    fn days_are_covered_by_few_words() {
        assert_eq!(days(5, 5), ["d5"]);
        assert_eq!(days(16, 32), ["e1", "d32"]);
        assert_eq!(days(15, 512).join(" "), {
            let sixteens: Vec<String> = (1..16).map(|n| format!("e{n}")).collect();
            format!("d15 {} g1 d512", sixteens.join(" "))
        });
        assert!(days(7, 6).is_empty());
        assert!(days(0, super::LAST_DAY).len() == 1024);
    }
}
