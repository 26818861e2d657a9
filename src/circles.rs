//! Circles in a graph, such as partials that include each other. A search takes time in proportion to the graph, and no
//! recursion, so a chain may be of any length.

use std::collections::{HashMap, VecDeque};

/// A graph whose nodes are numbers from 0, and its circles.
pub(crate) struct Circles {
    /// For each node, those that it leads to.
    edges: Vec<Vec<usize>>,
    /// For each node, the number of its group. Two nodes that lead to each other are in one group.
    groups: Vec<usize>,
}

impl Circles {
    pub(crate) fn of(edges: Vec<Vec<usize>>) -> Self {
        let groups = Groups::of(&edges);
        Self { edges, groups }
    }

    /// The number of a node's group. All circles through a node are in its group.
    pub(crate) fn group(&self, node: usize) -> usize {
        self.groups[node]
    }

    /// Whether a node leads back to itself.
    pub(crate) fn any_through(&self, node: usize) -> bool {
        // One step within a group is enough: from there, every node of the group is reached.
        self.edges[node].iter().any(|&next| self.groups[next] == self.groups[node])
    }

    /// The nodes of a shortest circle through `start`, which is the first of them. `None`: `start` does not lead back to itself.
    pub(crate) fn shortest_through(&self, start: usize) -> Option<Vec<usize>> {
        let mut reached_from = HashMap::new();
        let mut waiting = VecDeque::from([start]);
        while let Some(node) = waiting.pop_front() {
            for &next in self.edges[node].iter().filter(|&&next| self.groups[next] == self.groups[start]) {
                if next == start {
                    let way = std::iter::successors(Some(node), |node| reached_from.get(node).copied());
                    let mut circle: Vec<usize> = way.collect();
                    circle.reverse();
                    return Some(circle);
                }
                reached_from.entry(next).or_insert_with(|| {
                    waiting.push_back(next);
                    node
                });
            }
        }
        None
    }
}

/// A search for groups (Tarjan 1972, "strongly connected components").
struct Groups {
    /// When a node was reached; 0 before that.
    reached: Vec<usize>,
    /// The earliest reached node that this one is known to lead to, among those without a group.
    earliest: Vec<usize>,
    found: Vec<usize>,
    /// The reached nodes without a group.
    open: Vec<usize>,
}

/// A node without a group.
const NO_GROUP: usize = usize::MAX;

impl Groups {
    fn of(edges: &[Vec<usize>]) -> Vec<usize> {
        let mut search = Self {
            reached: vec![0; edges.len()],
            earliest: vec![0; edges.len()],
            found: vec![NO_GROUP; edges.len()],
            open: Vec::new(),
        };
        let (mut reached, mut groups) = (0, 0);
        for start in 0..edges.len() {
            // The way from `start`: nodes, each with the number of its edges that were followed.
            let mut way = if search.reached[start] == 0 { vec![(start, 0)] } else { continue };
            while let Some((node, followed)) = way.last_mut() {
                let node = *node;
                if *followed == 0 {
                    reached += 1;
                    search.reach(node, reached);
                }
                if let Some(&next) = edges[node].get(*followed) {
                    *followed += 1;
                    if search.reached[next] == 0 {
                        way.push((next, 0));
                    } else if search.found[next] == NO_GROUP {
                        search.earliest[node] = search.earliest[node].min(search.reached[next]);
                    }
                    continue;
                }
                way.pop();
                if search.earliest[node] == search.reached[node] {
                    search.close(node, groups);
                    groups += 1;
                }
                if let Some((before, _)) = way.last() {
                    search.earliest[*before] = search.earliest[*before].min(search.earliest[node]);
                }
            }
        }
        search.found
    }

    fn reach(&mut self, node: usize, time: usize) {
        self.reached[node] = time;
        self.earliest[node] = time;
        self.open.push(node);
    }

    /// Gives a group to a node and to all that were reached after it.
    fn close(&mut self, first: usize, group: usize) {
        while let Some(node) = self.open.pop() {
            self.found[node] = group;
            if node == first {
                break;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Circles;

    #[test]
    fn a_shortest_circle_begins_with_its_start() {
        let circles = Circles::of(vec![vec![1], vec![2, 3], vec![0], vec![2], vec![4], vec![0]]);
        assert_eq!(circles.shortest_through(0), Some(vec![0, 1, 2]));
        assert_eq!(circles.shortest_through(3), Some(vec![3, 2, 0, 1]));
        assert_eq!(circles.shortest_through(4), Some(vec![4]));
        assert_eq!(circles.shortest_through(5), None);
        assert!(circles.any_through(3) && !circles.any_through(5));
        assert_eq!(circles.group(0), circles.group(3));
        assert_ne!(circles.group(0), circles.group(4));
    }

    #[test]
    fn a_chain_and_a_circle_of_a_million_end() {
        let chain = |count: usize| (0..count).map(|node| vec![node + 1]);
        let chained = Circles::of(chain(1_000_000).chain([vec![]]).collect());
        assert!(!chained.any_through(0));
        let circle = Circles::of(chain(1_000_000).chain([vec![0]]).collect());
        assert_eq!(circle.shortest_through(0).map(|way| way.len()), Some(1_000_001));
    }

    /// Each of 30,000 circles crosses one node, as partials that include each other by way of a menu do.
    #[test]
    fn many_circles_through_one_node_end() {
        let count = 30_000;
        let edges = std::iter::once((1..=count).collect()).chain((0..count).map(|_| vec![0]));
        let circles = Circles::of(edges.collect());
        assert!((0..=count).all(|node| circles.group(node) == circles.group(0)));
        assert_eq!(circles.shortest_through(count), Some(vec![count, 0]));
    }

    /// Against the definition, on all graphs of four nodes.
    #[test]
    fn a_circle_is_found_where_a_node_leads_back() {
        const NODES: [usize; 4] = [0, 1, 2, 3];
        for bits in 0_u32..1 << 16 {
            let has_edge = |from: usize, to: usize| bits >> (4 * from + to) & 1 == 1;
            let edges = NODES.map(|from| NODES.into_iter().filter(|&to| has_edge(from, to)).collect());
            let mut leads = NODES.map(|from| NODES.map(|to| has_edge(from, to)));
            for by in NODES {
                let on = leads[by];
                let through = |way: [bool; 4]| NODES.map(|to| way[to] || (way[by] && on[to]));
                leads = leads.map(through);
            }
            let circles = Circles::of(edges.to_vec());
            for node in NODES {
                assert_eq!(circles.any_through(node), leads[node][node], "{edges:?} {node}");
                let way = circles.shortest_through(node).unwrap_or_default();
                assert_eq!(way.first().copied(), leads[node][node].then_some(node), "{edges:?} {node}");
                let steps = way.iter().zip(way.iter().skip(1).chain(way.first()));
                assert!(steps.into_iter().all(|(&from, &to)| has_edge(from, to)), "{edges:?} {way:?}");
                for other in NODES {
                    let together = node == other || (leads[node][other] && leads[other][node]);
                    assert_eq!(circles.group(node) == circles.group(other), together, "{edges:?}");
                }
            }
        }
    }
}
