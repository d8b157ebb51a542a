//! Readers of foreign text take time and memory in proportion to any text. Each test states the
//! factor; without its cap, a reader would take quadratic or exponential time or memory for these
//! inputs.

mod archives;
mod elf;
mod expressions;
mod guards;
mod ledger;
mod mutations;
mod packages;
mod pickle_memory;
mod programs;
mod tensors;
mod trees;
