//! Domain strings of delivery, each with the attack that it stops.

/// Points on a session's line: nobody who stands somewhere in one session stands there in another.
pub const FANOUT_POINT: &str = "tenet v1 fanout point";
/// Ranks of points: where somebody stands says nothing about when they must forward.
pub const FANOUT_RANK: &str = "tenet v1 fanout rank";
/// How near two points are: who keeps a connection with whom says nothing about who must forward.
pub const FANOUT_NEARNESS: &str = "tenet v1 fanout nearness";
/// Checks of a list of members: marks made over one list are never read over another.
pub const FANOUT_CHECK: &str = "tenet v1 fanout check";
