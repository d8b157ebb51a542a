//! Every reader of foreign text takes time and memory in proportion to the text, whatever it says. Each test names
//! the factor; each input is one that a reader without its cap takes quadratic or exponential time or memory for.

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
