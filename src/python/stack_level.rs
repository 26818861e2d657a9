//! Finds the frame of the caller of the package, for warnings.

use pyo3::prelude::*;

/// The number of frames up to the caller of the package. Plugins add frames between the caller and this module.
pub(super) fn stack_level(py: Python<'_>) -> PyResult<i32> {
    // If all frames belong to the package: the caller of the method that called this module.
    const CALLER: i32 = 2;
    let mut frame = py.import("sys")?.call_method1("_getframe", (0,))?;
    for level in 1.. {
        let module: String = frame.getattr("f_globals")?.get_item("__name__")?.extract()?;
        if !module.starts_with("prompt_manager.") {
            return Ok(level);
        }
        frame = frame.getattr("f_back")?;
        if frame.is_none() {
            break;
        }
    }
    Ok(CALLER)
}
