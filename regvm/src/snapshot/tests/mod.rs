//! Snapshots by themselves: a table of tasks of the tests' own over a real heap and a real program.

mod boxes;
mod damage;
mod graph;
mod size;
mod states;
mod world;
