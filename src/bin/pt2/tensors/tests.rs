//! What was written is read back; what others write is understood; what is broken is refused.

use super::*;

const DTYPES: [ScalarType; 21] = {
    use ScalarType::*;
    [
        Byte,
        Char,
        Short,
        Int,
        Long,
        Half,
        Float,
        Double,
        ComplexHalf,
        ComplexFloat,
        ComplexDouble,
        Bool,
        BFloat16,
        UInt16,
        UInt32,
        UInt64,
        Float8E4M3Fn,
        Float8E5M2,
        Float8E4M3FnUz,
        Float8E5M2FnUz,
        Float8E8M0Fnu,
    ]
};

const SIZES: [&[i64]; 4] = [&[], &[5], &[2, 3], &[0, 4]];

fn array(name: &str, dtype: ScalarType, sizes: &[i64]) -> Array {
    let count = sizes.iter().product::<i64>() as usize * dtype.size_in_bytes();
    let bytes =
        (0..count).map(|byte| if dtype == ScalarType::Bool { byte % 2 } else { byte * 7 % 251 } as u8);
    Array { name: name.into(), dtype, sizes: sizes.to_vec(), bytes: bytes.collect() }
}

fn refused(result: Result<impl Sized, Failure>) -> String {
    match result.err() {
        Some(Failure::Refused(reason)) => reason,
        other => panic!("{other:?}"),
    }
}

/// NumPy gives bfloat16 back as the bit patterns it holds.
fn as_numpy_has_it(array: &Array) -> Array {
    let dtype = if array.dtype == ScalarType::BFloat16 { ScalarType::UInt16 } else { array.dtype };
    Array { dtype, ..array.clone() }
}

#[test]
fn every_dtype_comes_back_or_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    for format in [Format::Npy, Format::Npz, Format::Safetensors] {
        let path = folder.path().join(format!("x{format}"));
        let selection = Selection::parse(path.to_str().unwrap()).unwrap();
        for (dtype, sizes) in DTYPES.iter().flat_map(|dtype| SIZES.map(|sizes| (*dtype, sizes))) {
            let name = if format == Format::Npy { "" } else { "result.x" };
            let given = array(name, dtype, sizes);
            let written = write(&path, format, std::slice::from_ref(&given));
            assert_eq!(written.is_ok(), format.require(dtype).is_ok(), "{dtype} {format}");
            if written.is_ok() {
                let expected =
                    if format == Format::Safetensors { given.clone() } else { as_numpy_has_it(&given) };
                assert_eq!(read(&selection).unwrap(), [expected]);
            }
            let tensor = given.tensor().unwrap();
            assert_eq!(Array::of(name, &tensor).unwrap(), given);
        }
    }
}

#[test]
fn each_dtype_has_a_format_but_one() {
    let homeless = |dtype: &&ScalarType| {
        Format::Npz.require(**dtype).is_err() && Format::Safetensors.require(**dtype).is_err()
    };
    assert_eq!(DTYPES.iter().filter(homeless).collect::<Vec<_>>(), [&ScalarType::ComplexHalf]);
    let reason = Format::Npy.require(ScalarType::Float8E5M2).unwrap_err();
    assert_eq!(reason, "a .npy file cannot hold float8_e5m2, a .safetensors file can");
    let reason = Format::Safetensors.require(ScalarType::ComplexDouble).unwrap_err();
    assert_eq!(reason, "a .safetensors file cannot hold complex128, a .npz file can");
}

#[test]
fn arrays_keep_their_order_and_can_be_chosen() {
    let folder = tempfile::tempdir().unwrap();
    let names = ["z", "a", "m.0", "b"];
    let arrays: Vec<_> = names.iter().map(|name| array(name, ScalarType::Float, &[2])).collect();
    let names_of = |text: String| -> Vec<String> {
        read(&Selection::parse(&text).unwrap()).unwrap().into_iter().map(|array| array.name).collect()
    };
    for format in [Format::Npz, Format::Safetensors] {
        let path = folder.path().join(format!("x{format}"));
        write(&path, format, &arrays).unwrap();
        let path = path.display();
        let all = if format == Format::Npz { names } else { ["a", "b", "m.0", "z"] };
        assert_eq!(names_of(path.to_string()), all);
        assert_eq!(names_of(format!("{path}:m.0,z")), ["m.0", "z"]);
        let missing = refused(read(&Selection::parse(&format!("{path}:a,q")).unwrap()));
        assert!(missing.contains("it holds no `q`; it holds"), "{missing}");
    }
}

/// A file with this header and these elements, as NumPy lays it out.
fn npy(header: &str, elements: &[u8]) -> Vec<u8> {
    let mut file = b"\x93NUMPY\x01\x00".to_vec();
    file.extend((header.len() as u16).to_le_bytes());
    file.extend(header.as_bytes());
    file.extend(elements);
    file
}

#[test]
fn other_orders_of_bytes_and_dimensions_are_understood() {
    let header = "{'descr': '>i2', 'fortran_order': True, 'shape': (2, 3)}\n";
    let file = npy(header, &[0, 1, 0, 4, 0, 2, 0, 5, 0, 3, 0, 6]);
    let array = super::npy::read("", file.as_slice()).unwrap();
    assert_eq!((array.dtype, array.sizes), (ScalarType::Short, vec![2, 3]));
    assert_eq!(array.bytes, [1, 0, 2, 0, 3, 0, 4, 0, 5, 0, 6, 0]);

    let header = "{'descr': '>c8', 'fortran_order': False, 'shape': (1,)}\n";
    let array = super::npy::read("", npy(header, &[1, 2, 3, 4, 5, 6, 7, 8]).as_slice()).unwrap();
    assert_eq!(array.bytes, [4, 3, 2, 1, 8, 7, 6, 5]);

    let header = "{'descr': '|b1', 'fortran_order': False, 'shape': (3,)}\n";
    let array = super::npy::read("", npy(header, &[0, 7, 1]).as_slice()).unwrap();
    assert_eq!(array.bytes, [0, 1, 1]);
}

#[test]
fn broken_arrays_are_refused() {
    let header = |descr: &str, shape: &str| {
        format!("{{'descr': {descr}, 'fortran_order': False, 'shape': {shape}}}\n")
    };
    for (file, reason) in [
        (npy(&header("'<f4'", "(3,)"), &[0; 11]), "ends after 11 of 12 bytes"),
        (npy(&header("'<f4'", "(4294967296, 4294967296, 2)"), &[]), "too large"),
        (npy(&header("'<f4'", "(9223372036854775808,)"), &[]), "too large"),
        (npy(&header("'<f4'", "(1000000000000,)"), &[0; 4]), "ends after 4 of 4000000000000 bytes"),
        (npy(&header("'<U3'", "(1,)"), &[0; 12]), "is none of a tensor"),
        (npy(&header("'|O'", "(1,)"), &[0; 12]), "is none of a tensor"),
        (npy(&header("[('a', '<f4')]", "(1,)"), &[0; 4]), "is none of a tensor"),
        (b"hello, world".to_vec(), "magic"),
        (vec![], ""),
    ] {
        let error = super::npy::read("", file.as_slice()).unwrap_err();
        assert!(error.contains(reason), "{error}");
    }
}

#[test]
fn broken_files_are_refused_by_name() {
    let folder = tempfile::tempdir().unwrap();
    for ending in ["npy", "npz", "safetensors"] {
        let path = folder.path().join(format!("broken.{ending}"));
        for bytes in [&b""[..], b"x", &[0xff; 64]] {
            std::fs::write(&path, bytes).unwrap();
            let reason = refused(read(&Selection::parse(path.to_str().unwrap()).unwrap()));
            assert!(reason.starts_with("cannot read") && reason.contains("broken."), "{reason}");
        }
    }
    let reason = refused(write(&folder.path().join("no/where.npz"), Format::Npz, &[]));
    assert!(reason.starts_with("cannot write"), "{reason}");
}
