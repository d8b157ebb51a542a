//! Overlap of strided tensors: elements that share addresses.

use super::TensorView;

/// Steps of a comparison before it counts as an overlap. Slices of one buffer need a few for each
/// dimension.
const STEPS: u32 = 4096;

/// Elements of `item` bytes at multiples of each stride. Strides are in bytes, from the largest to
/// the smallest.
#[derive(Clone, Copy)]
struct Lattice<'a> {
    dims: &'a [LatticeDim],
    item: i128,
}

#[derive(Clone, Copy)]
struct LatticeDim {
    count: i128,
    stride: i128,
}

impl TensorView<'_> {
    /// Returns true if an element of one overlaps an element of the other.
    ///
    /// Exact, except that strides which need more than 4,096 steps to compare count as an overlap.
    pub fn shares_elements_with(&self, other: &TensorView) -> bool {
        if self.elements == 0 || other.elements == 0 || !self.overlaps(other) {
            return false;
        }
        let (ours, theirs) = (self.dims(), other.dims());
        let (ours, theirs) = (self.lattice(&ours), other.lattice(&theirs));
        let distance = other.data.addr() as i128 - self.data.addr() as i128;
        meet(ours, theirs, distance, &mut { STEPS })
    }

    /// Returns true if two of the tensor's elements overlap. Exact in the same way.
    pub fn repeats_elements(&self) -> bool {
        let dims = self.dims();
        self.elements > 0 && repeats(self.lattice(&dims), &mut { STEPS })
    }

    fn lattice<'a>(&self, dims: &'a [LatticeDim]) -> Lattice<'a> {
        Lattice { dims, item: i128::from(self.bytes / self.elements.max(1)) }
    }

    fn dims(&self) -> Vec<LatticeDim> {
        let item = i128::from(self.bytes / self.elements.max(1));
        let dims = self.sizes.iter().zip(self.strides).filter(|(size, _)| **size > 1);
        let dim = |(size, stride): (&i64, &i64)| LatticeDim {
            count: i128::from(*size),
            stride: i128::from(*stride).saturating_mul(item),
        };
        let mut dims: Vec<LatticeDim> = dims.map(dim).collect();
        dims.sort_by_key(|dim| std::cmp::Reverse(dim.stride));
        dims
    }
}

impl<'a> Lattice<'a> {
    /// Returns the number of bytes from the first to the last.
    fn length(self) -> i128 {
        self.dims.iter().map(|dim| (dim.count - 1) * dim.stride).sum::<i128>() + self.item
    }

    /// Returns the number of elements at this stride, and the lattice at each of them.
    fn split(self, stride: i128) -> (i128, Lattice<'a>) {
        match self.dims.split_first() {
            Some((first, rest)) if first.stride == stride => (first.count, Lattice { dims: rest, ..self }),
            _ => (1, self),
        }
    }
}

/// Returns true if an element of `left` overlaps one of `right`, which begins `distance` bytes
/// behind it.
fn meet(left: Lattice, right: Lattice, distance: i128, steps: &mut u32) -> bool {
    if distance >= left.length() || -distance >= right.length() {
        return false;
    }
    let Some(stride) = left.dims.first().into_iter().chain(right.dims.first()).map(|dim| dim.stride).max()
    else {
        return true;
    };
    if stride == 0 {
        return true;
    }
    let ((left_count, left), (right_count, right)) = (left.split(stride), right.split(stride));
    // The distance of two rows depends only on the difference of their indices along this stride.
    let lowest = (1 - left_count).max((-right.length() - distance).div_euclid(stride));
    let highest = (right_count - 1).min((left.length() - distance).div_euclid(stride) + 1);
    let mut difference = lowest;
    while difference <= highest {
        if *steps == 0 {
            return true;
        }
        *steps -= 1;
        if meet(left, right, distance + difference * stride, steps) {
            return true;
        }
        difference += 1;
    }
    false
}

/// Returns true if two different elements overlap.
fn repeats(all: Lattice, steps: &mut u32) -> bool {
    let Some((first, rest)) = all.dims.split_first() else { return false };
    let rest = Lattice { dims: rest, ..all };
    if first.stride == 0 {
        return true;
    }
    let near = (1..first.count).take_while(|times| times * first.stride < rest.length());
    for times in near {
        if *steps == 0 || meet(rest, rest, times * first.stride, steps) {
            return true;
        }
        *steps -= 1;
    }
    repeats(rest, steps)
}

#[cfg(test)]
mod tests {
    use super::super::{Device, Tensor};

    const FLOAT: i32 = 6;

    /// Returns a tensor of float32 that starts `start` elements into a buffer.
    fn tensor(start: usize, sizes: &[i64], strides: &[i64]) -> Tensor {
        static BUFFER: [f32; 4096] = [0.0; 4096];
        let data = BUFFER.as_ptr().wrapping_add(start).cast_mut().cast();
        // SAFETY: the tests stay inside the buffer, and never access its elements.
        unsafe { Tensor::from_memory(data, sizes, strides, FLOAT, Device::Cpu, None) }.unwrap()
    }

    fn places(start: usize, sizes: &[i64], strides: &[i64]) -> Vec<i64> {
        let mut places = vec![start as i64];
        for (size, stride) in sizes.iter().zip(strides) {
            places = places.iter().flat_map(|at| (0..*size).map(move |index| at + index * stride)).collect();
        }
        places.sort_unstable();
        places
    }

    /// Returns tensors of up to three dimensions with random small sizes, strides and offsets.
    fn all() -> Vec<(usize, Vec<i64>, Vec<i64>)> {
        let mut random = 1u64;
        let mut next = |below: u64| {
            random = random.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
            ((random >> 33) % below) as i64
        };
        (0..400)
            .map(|_| {
                let rank = next(4) as usize;
                let sizes = (0..rank).map(|_| next(5)).collect();
                let strides = (0..rank).map(|_| next(14)).collect();
                (next(40) as usize, sizes, strides)
            })
            .collect()
    }

    #[test]
    fn it_is_what_counting_every_element_finds() {
        let all = all();
        let (mut overlaps, mut interleaved) = (0, 0);
        for (start, sizes, strides) in &all {
            let one = tensor(*start, sizes, strides);
            let ours = places(*start, sizes, strides);
            let repeated = ours.windows(2).any(|pair| pair[0] == pair[1]);
            assert_eq!(one.view().repeats_elements(), repeated, "{sizes:?} {strides:?}");
            for (other_start, other_sizes, other_strides) in &all {
                let other = tensor(*other_start, other_sizes, other_strides);
                let theirs = places(*other_start, other_sizes, other_strides);
                let shared = ours.iter().any(|place| theirs.binary_search(place).is_ok());
                let found = one.view().shares_elements_with(&other.view());
                assert_eq!(
                    found, shared,
                    "{start} {sizes:?} {strides:?}, {other_start} {other_sizes:?} {other_strides:?}"
                );
                overlaps += usize::from(shared);
                interleaved += usize::from(!shared && one.view().overlaps(&other.view()));
            }
        }
        assert!(overlaps > 1000 && interleaved > 1000, "{overlaps} {interleaved}");
    }

    #[test]
    fn slices_of_one_buffer_are_apart() {
        let (left, right) = (tensor(0, &[8, 8, 4], &[64, 8, 1]), tensor(4, &[8, 8, 4], &[64, 8, 1]));
        assert!(left.view().overlaps(&right.view()) && !left.view().shares_elements_with(&right.view()));
        let later = tensor(3, &[8, 8, 4], &[64, 8, 1]);
        assert!(left.view().shares_elements_with(&later.view()));
    }
}
