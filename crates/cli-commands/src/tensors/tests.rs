//! Round trips of every format, reading of other writers' files, and refusal of broken ones.

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

/// Returns the array as NumPy stores it: bfloat16 as its bit patterns.
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

/// Builds a file with this header and these elements in NumPy's layout.
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
    let array = super::npy::read("", file.as_slice(), file.len() as u64).unwrap();
    assert_eq!((array.dtype, array.sizes), (ScalarType::Short, vec![2, 3]));
    assert_eq!(array.bytes, [1, 0, 2, 0, 3, 0, 4, 0, 5, 0, 6, 0]);

    let header = "{'descr': '>c8', 'fortran_order': False, 'shape': (1,)}\n";
    let file = npy(header, &[1, 2, 3, 4, 5, 6, 7, 8]);
    let array = super::npy::read("", file.as_slice(), file.len() as u64).unwrap();
    assert_eq!(array.bytes, [4, 3, 2, 1, 8, 7, 6, 5]);

    let header = "{'descr': '|b1', 'fortran_order': False, 'shape': (3,)}\n";
    let file = npy(header, &[0, 7, 1]);
    let array = super::npy::read("", file.as_slice(), file.len() as u64).unwrap();
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
        (
            npy(&header(&format!("{}'<f4'{}", "[".repeat(24), "]".repeat(24)), "(4,)"), &[0; 16]),
            "is none of a tensor",
        ),
        (npy(&header("'<f4'", &format!("({})", "1,".repeat(65))), &[0; 4]), "more than 64 dimensions"),
        (npy(&header("'<f4'", "((1,),)"), &[0; 4]), "no tuple of sizes"),
        (npy(&header("'<f4', 'descr': '<f4'", "(1,)"), &[0; 4]), "twice"),
        (npy("{'descr': '<f4', 'shape': (1,)}", &[0; 4]), "not a dict of"),
        (b"\x93NUMPY\x02\x00\xff\xff\xff\xff{".to_vec(), "at most 65536 are read"),
        (b"\x93NUMPY\x09\x00\x01\x00{".to_vec(), "version 9"),
        (npy(&header("'<U3'", "(1,)"), &[0; 12]), "is none of a tensor"),
        (npy(&header("'|O'", "(1,)"), &[0; 12]), "is none of a tensor"),
        (npy(&header("[('a', '<f4')]", "(1,)"), &[0; 4]), "is none of a tensor"),
        (b"hello, world".to_vec(), "magic"),
        (vec![], ""),
    ] {
        let error = super::npy::read("", file.as_slice(), file.len() as u64).unwrap_err();
        assert!(error.contains(reason), "{error}");
    }
}

/// Compares written headers with those of NumPy byte for byte, and reads headers of other writers.
#[test]
fn headers_are_those_of_numpy() {
    use super::header::Header;
    for (descr, shape) in [("<f4", vec![]), ("|b1", vec![7]), ("<c16", vec![3, 4]), ("<i8", vec![0; 64])] {
        let header = Header { descr: descr.into(), fortran_order: false, shape };
        let bytes = header.write();
        assert_eq!((bytes.len() % 64, bytes.last()), (0, Some(&b'\n')));
        assert_eq!(Header::read(&mut bytes.as_slice()).unwrap(), (header.clone(), bytes.len()));
        let theirs = npyz::NpyHeader::from_reader(bytes.as_slice()).unwrap();
        assert_eq!((theirs.shape(), theirs.order()), (&header.shape[..], npyz::Order::C));
        assert_eq!(theirs.dtype().descr(), format!("'{descr}'"));
    }
    for text in [
        "{'shape': (2L, 3L), \"descr\": '<f4', 'fortran_order': True}",
        " { 'descr' : '<f4' , 'fortran_order' : True , 'shape' : ( 2 , 3 , ) , } ",
    ] {
        let expected = Header { descr: "<f4".into(), fortran_order: true, shape: vec![2, 3] };
        assert_eq!(Header::parse(text).unwrap(), expected);
    }
}

/// Sizes are compared with the file before memory is allocated for them.
#[test]
fn entries_that_claim_too_much_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.npz");
    let refusal = |path: &Path| refused(read(&Selection::parse(path.to_str().unwrap()).unwrap()));
    write(&path, Format::Npz, &[array("a", ScalarType::Byte, &[1000])]).unwrap();
    let mut bytes = std::fs::read(&path).unwrap();
    let shape = bytes.windows(4).position(|window| window == b"1000").unwrap();
    bytes[shape..shape + 4].copy_from_slice(b"9999");
    std::fs::write(&path, &bytes).unwrap();
    let reason = refusal(&path);
    assert!(reason.contains("array `a`: it ends after 1000 of 9999 bytes"), "{reason}");
    // Two entries that share one body: the second record of the directory refers to the first one's
    // header.
    let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    let options = zip::write::SimpleFileOptions::default().compression_method(zip::CompressionMethod::Stored);
    for (name, size) in [("a.npy", 60_000), ("b.npy", 0)] {
        zip.start_file(name, options).unwrap();
        super::npy::write(&mut zip, &array("", ScalarType::Byte, &[size])).unwrap();
    }
    let mut bytes = zip.finish().unwrap().into_inner();
    let records: Vec<usize> =
        (0..bytes.len() - 4).filter(|at| bytes[*at..].starts_with(b"PK\x01\x02")).collect();
    let (first, second) = (records[0], records[1]);
    // Checksum, sizes, and position of the header.
    for field in [16..28, 42..46] {
        bytes.copy_within(first + field.start..first + field.end, second + field.start);
    }
    std::fs::write(&path, &bytes).unwrap();
    let reason = refusal(&path);
    assert!(reason.contains("more bytes together than the file has"), "{reason}");
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
