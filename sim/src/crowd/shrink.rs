//! Fewer deeds, nodes and faults that still show what is wrong.

use std::panic;

use super::{Fault, Plan, run};

/// What is wrong with a run, if anything is.
pub fn wrong(plan: &Plan) -> Option<String> {
    let result = panic::catch_unwind(|| run(plan).1.map_err(|error| format!("{error:#}")));
    result.unwrap_or_else(|_| Err("it panicked".into())).err()
}

/// The smallest plan that was found with which something is still wrong.
///
/// What is wrong may be something else than at first: one mistake at a time, and the smallest first.
pub fn shrink(plan: &Plan) -> Plan {
    let mut plan = plan.clone();
    for fault in Fault::ALL {
        if !plan.without.contains(&fault) {
            let mut fewer = plan.clone();
            fewer.without.insert(fault);
            try_it(&mut plan, fewer);
        }
    }
    for nodes in [2, 3, 4, 6, 8, 12] {
        let fewer = Plan {
            nodes,
            ..plan.clone()
        };
        if nodes < plan.nodes && try_it(&mut plan, fewer) {
            break;
        }
    }
    // The last deed that matters, by halves: it need not be monotonous, so what is found is checked.
    let (mut good, mut bad) = (0, plan.deeds.min(super::ladder::most_deeds(plan.step)));
    while good + 1 < bad {
        let deeds = good.midpoint(bad);
        let fewer = Plan {
            deeds,
            ..plan.clone()
        };
        match try_it(&mut plan, fewer) {
            true => bad = deeds,
            false => good = deeds,
        }
    }
    plan
}

fn try_it(plan: &mut Plan, fewer: Plan) -> bool {
    let fails = wrong(&fewer).is_some();
    if fails {
        *plan = fewer;
    }
    fails
}
