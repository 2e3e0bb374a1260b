//! Statistics: plain functions from numbers to numbers, each with the source of its formula.
//!
//! Does not know workloads, items or verdicts.

pub mod wilson;
