//! A figure of ours beside those of several peers.

use serde_json::{Map, Value, json};

use crate::report::{Unit, median};

/// What was measured of one relay, parser or whatever takes part.
#[derive(Clone, Debug)]
pub struct Entry {
    /// Its name.
    pub name: String,
    /// What was measured.
    pub values: Vec<f64>,
    /// Whether ours is measured against it; what only stands beside it for comparison is not.
    pub rival: bool,
}

/// One figure: ours, and all that it stands beside.
#[derive(Clone, Debug)]
pub struct Contest {
    /// `benchmark/what`.
    pub name: String,
    /// What is measured.
    pub unit: Unit,
    /// What ours must reach.
    pub goal: Goal,
    /// What was measured of ours.
    pub ours: Vec<f64>,
    /// The others.
    pub peers: Vec<Entry>,
}

/// What a figure must reach.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Goal {
    /// How much better than the best rival: 1 is as good, 0.5 is half as good.
    Ratio(f64),
    /// At most so much, whatever others do.
    AtMost(f64),
}

impl Contest {
    /// The figure, of medians.
    ///
    /// # Panics
    ///
    /// If one that takes part was not measured.
    pub fn figure(self) -> Value {
        let runs = self.ours.len();
        let ours = median(self.ours);
        let mut all = Map::new();
        let mut best: Option<(String, f64)> = None;
        for Entry { name, values, rival } in self.peers {
            let value = median(values);
            all.insert(name.clone(), value.into());
            let better = |(_, best): &(String, f64)| self.unit.ratio(value, *best) > 1.0;
            if rival && best.as_ref().is_none_or(better) {
                best = Some((name, value));
            }
        }
        let (peer_name, peer) = best.unzip();
        let ratio = peer.map(|peer| self.unit.ratio(ours, peer));
        let (goal, met) = match self.goal {
            // Without a rival nothing is shown.
            Goal::Ratio(goal) => (goal, ratio.is_some_and(|ratio| ratio >= goal)),
            Goal::AtMost(bound) => (bound, ours <= bound),
        };
        let (peer, peer_name, ratio) = match (self.goal, peer_name) {
            (Goal::AtMost(_), _) => (None, None, None),
            (Goal::Ratio(_), None) => (None, Some("nobody".to_owned()), None),
            (Goal::Ratio(_), name) => (peer, name, ratio),
        };
        json!({
            "name": self.name,
            "unit": self.unit.name(),
            "ours": ours,
            "peer": peer,
            "peer_name": peer_name,
            "ratio": ratio,
            "goal": goal,
            "met": met,
            "runs": runs,
            "peers": all,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn contest(unit: Unit, goal: Goal, ours: f64, peers: &[(&str, f64, bool)]) -> Value {
        let entry = |&(name, value, rival): &_| Entry {
            name: str::to_owned(name),
            values: vec![value],
            rival,
        };
        let peers = peers.iter().map(entry).collect();
        Contest { name: "a/b".into(), unit, goal, ours: vec![ours], peers }.figure()
    }

    #[test]
    fn the_best_rival_counts_and_all_are_told() {
        let peers = [("slow", 50.0, true), ("fast", 100.0, true), ("another kind", 500.0, false)];
        let figure = contest(Unit::Rate, Goal::Ratio(1.0), 150.0, &peers);
        assert_eq!(figure["peer_name"], "fast");
        assert_eq!((&figure["ratio"], &figure["met"]), (&json!(1.5), &json!(true)));
        assert_eq!(figure["peers"]["another kind"], 500.0);
        let figure = contest(Unit::SecondsPerGigabyte, Goal::Ratio(1.0), 75.0, &peers);
        assert_eq!((&figure["peer_name"], &figure["met"]), (&json!("slow"), &json!(false)));
    }

    #[test]
    fn a_ratio_without_a_rival_is_not_met() {
        let figure = contest(Unit::Rate, Goal::Ratio(1.0), 150.0, &[]);
        assert_eq!((&figure["peer"], &figure["met"]), (&Value::Null, &json!(false)));
    }

    #[test]
    fn a_bound_is_met_up_to_itself_whatever_others_reach() {
        let figure = contest(Unit::Kilobytes, Goal::AtMost(10.0), 10.0, &[("small", 1.0, true)]);
        assert_eq!((&figure["peer"], &figure["met"]), (&Value::Null, &json!(true)));
        assert_eq!(figure["peers"]["small"], 1.0);
        assert_eq!(contest(Unit::Kilobytes, Goal::AtMost(10.0), 10.1, &[])["met"], false);
    }
}
