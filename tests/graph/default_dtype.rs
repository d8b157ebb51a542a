//! Dtypes that follow from the exporting process's default.

use crate::optimizer::{becomes, stays};
use pt2_graph::passes::DeviceProfile;

/// A program of integers and a condition.
fn program(nodes: &str) -> String {
    format!(
        "graph(%x: tensor<int64 [4] [1]>, %f: tensor<float32 [4] [1]>, %c: tensor<bool [4] [1]>, %i: tensor<int32 [1] [1]>) {{
           {nodes}
           return (%r)
         }}"
    )
}

const DOUBLE: &str = "tensor<float64 [4] [1]>";

#[test]
fn factories_get_the_recorded_dtype() {
    for call in ["zeros.default(size=[4]", "arange.default(end=4.0", "full.default(size=[4], fill_value=0.1"]
    {
        let with = |dtype: &str| program(&format!("%r: {DOUBLE} = aten::{call}{dtype})"));
        becomes(&DeviceProfile::PLAIN, &with(""), &with(", dtype=torch.float64"));
        becomes(&DeviceProfile::PLAIN, &with(", dtype=none"), &with(", dtype=torch.float64"));
        stays(&DeviceProfile::PLAIN, &with(", dtype=torch.float64"));
    }
}

#[test]
fn integers_are_cast_if_the_result_is_floating_point() {
    let cast = |name: &str, of: &str| {
        format!("%{name}: {DOUBLE} = aten::_to_copy.default(self=%{of}, dtype=torch.float64)\n")
    };
    for (call, casted) in [
        ("sqrt.default(self=%x)", "sqrt.default(self=%as_recorded)"),
        ("mul.Tensor(self=%x, other=2.5)", "mul.Tensor(self=%as_recorded, other=2.5)"),
        (
            "where.ScalarOther(condition=%c, self=%x, other=0.5)",
            "where.ScalarOther(condition=%c, self=%as_recorded, other=0.5)",
        ),
    ] {
        let result = format!("%r: {DOUBLE} = aten::");
        becomes(
            &DeviceProfile::PLAIN,
            &program(&format!("{result}{call}")),
            &program(&format!("{}{result}{casted}", cast("as_recorded", "x"))),
        );
    }
}

#[test]
fn nodes_independent_of_the_default_dtype_are_unchanged() {
    for node in [
        "%r: tensor<int64 [4] [1]> = aten::add.Tensor(self=%x, other=1)",
        "%r: tensor<float32 [4] [1]> = aten::add.Tensor(self=%f, other=%x)",
        "%r: tensor<float64 [4] [1]> = aten::_to_copy.default(self=%x, dtype=torch.float64)",
        "%r: tensor<float32 [4] [1]> = aten::index_select.default(self=%f, dim=0, index=%x)",
        "%r: tensor<float64 [4] [1]> = my_lib::half.default(self=%x)",
        "%r: tensor = aten::sqrt.default(self=%x)",
    ] {
        stays(&DeviceProfile::PLAIN, &program(node));
    }
}

#[test]
fn both_scalars_of_where_become_tensors() {
    becomes(
        &DeviceProfile::PLAIN,
        &program(&format!("%r: {DOUBLE} = aten::where.Scalar(condition=%c, self=0.1, other=1)")),
        &program(&format!(
            "%number: tensor = aten::scalar_tensor.default(s=0.1, dtype=torch.float64)
             %number_1: tensor = aten::scalar_tensor.default(s=1, dtype=torch.float64)
             %r: {DOUBLE} = aten::where.self(condition=%c, self=%number, other=%number_1)"
        )),
    );
}
