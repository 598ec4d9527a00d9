//! Fewer deeds, nodes and faults that still show what is wrong.

use std::panic;

use super::{Fault, Plan, run};

/// What is wrong with a run, if anything is.
pub fn wrong(plan: &Plan) -> Option<String> {
    let result = panic::catch_unwind(|| run(plan).1.map_err(|error| format!("{error:#}")));
    result.unwrap_or_else(|_| Err("it panicked".into())).err()
}

/// The most runs that shrinking takes.
const MOST_RUNS: usize = 400;

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
    if plan.step == 5 {
        leave_out(&mut plan);
    }
    plan
}

/// Leaves out deeds, half of all at a time, then a quarter, and so on: most have nothing to do with it.
fn leave_out(plan: &mut Plan) {
    let all = super::ladder::most_deeds(plan.step).min(plan.deeds);
    let mut runs = MOST_RUNS;
    let mut size = all.div_ceil(2);
    loop {
        for from in (0..all).step_by(size) {
            let some = (from..all.min(from + size)).filter(|deed| !plan.skip.contains(deed));
            let some: Vec<usize> = some.collect();
            if some.is_empty() || runs == 0 {
                continue;
            }
            runs -= 1;
            let mut fewer = plan.clone();
            fewer.skip.extend(some);
            try_it(plan, fewer);
        }
        if size == 1 || runs == 0 {
            return;
        }
        size = size.div_ceil(2);
    }
}

fn try_it(plan: &mut Plan, fewer: Plan) -> bool {
    let fails = wrong(&fewer).is_some();
    if fails {
        *plan = fewer;
    }
    fails
}
