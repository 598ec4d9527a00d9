//! Giving the other end what goes there.

use std::sync::Arc;

use tenet_net::Answering;

use super::end::{End, Piece};

/// How many bytes are given in answer to one request: asking again says that they are there.
const TURN: u64 = 1 << 20;

/// Answers one request, from where it asked: with what there is as it comes, with nothing at the end.
pub(super) async fn give(end: Arc<End>, turn: u64, mut answering: Answering) {
    let base = end.base();
    let mut given = 0;
    while given < TURN {
        match end.piece(turn, base + given).await {
            Piece::Bytes(bytes) => {
                given += bytes.len() as u64;
                if answering.write(bytes.into()).await.is_err() {
                    return;
                }
            }
            Piece::End if given == 0 => {
                if answering.deliver().await.is_ok() {
                    end.delivered();
                }
                return;
            }
            Piece::End => break,
            Piece::Over => return answering.refuse(),
        }
    }
    answering.finish();
}
