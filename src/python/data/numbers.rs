//! Adds Python numbers, and counts the work that large integers take.

use pyo3::exceptions::{PyOverflowError, PyTypeError};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyFloat, PyInt};

use super::PyData;
use super::object::{Object, optional};
use super::resolved::Resolved;
use crate::error::{Error, Kind, Result};
use crate::limits::{BYTES_OF_A_STEP, MIXED_INTEGER_BITS};

impl<'py> PyData<'_, 'py> {
    /// Returns the sum of two numbers, or their difference. `None` if they have none.
    pub(super) fn sum_of(
        &self,
        a: &Resolved<'py>,
        b: &Resolved<'py>,
        subtract: bool,
    ) -> Result<Option<Object<'py>>> {
        if !a.kind.is_number() || !b.kind.is_number() {
            return Ok(None);
        }
        self.count_numbers(a, b)?;
        let sum = if subtract { a.value.sub(&b.value) } else { a.value.add(&b.value) };
        match sum {
            Ok(sum) => Ok(Some(sum)),
            // A decimal and a float have no sum in Python.
            Err(error) if error.is_instance_of::<PyTypeError>(self.py) => Ok(None),
            Err(error) if error.is_instance_of::<PyOverflowError>(self.py) => Err(Error::new(
                Kind::TemplateRender,
                "an integer is too large to be added to a float, or subtracted from it",
            )
            .with_hint("pass both as integers, or both as floats")
            .with_cause(error)),
            Err(error) => Err(self.raised(error, "adding two numbers")),
        }
    }

    /// Counts the work of adding or comparing two numbers.
    ///
    /// # Errors
    /// [`Kind::TemplateRender`] if one is a decimal, a fraction or the like, and an integer among them has more bits than
    /// [`MIXED_INTEGER_BITS`].
    pub(super) fn count_numbers(&self, a: &Resolved<'py>, b: &Resolved<'py>) -> Result<()> {
        let both = [&a.value, &b.value];
        let mut longest = 0;
        for number in both {
            longest = longest.max(self.integer_bits(number)?);
        }
        if longest == 0 {
            return Ok(());
        }
        let linear =
            |number: &Object<'py>| number.cast::<PyInt>().is_ok() || number.cast::<PyFloat>().is_ok();
        if longest > MIXED_INTEGER_BITS && !both.into_iter().all(linear) {
            return Err(Error::new(
                Kind::TemplateRender,
                "an integer is too large to be used with a decimal or a fraction",
            )
            .with_hint("pass two integers, or round the number before the render"));
        }
        self.count_bits(longest)
    }

    /// Counts an integer that is read whole.
    pub(super) fn count_integer(&self, number: &Object<'py>) -> Result<()> {
        self.count_bits(self.integer_bits(number)?)
    }

    fn count_bits(&self, bits: u64) -> Result<()> {
        self.count_work(bits / 8 / BYTES_OF_A_STEP as u64)
    }

    /// Returns the number of bits of an integer, or of the longer integer of a fraction. 0 for any other number, and for
    /// an integer of at most 64 bits.
    fn integer_bits(&self, number: &Object<'py>) -> Result<u64> {
        let bits = |integer: &Object<'py>| -> PyResult<u64> {
            if integer.cast::<PyInt>().is_err() || integer.extract::<i64>().is_ok() {
                return Ok(0);
            }
            // A subclass may override `bit_length`, which is not called.
            self.py.get_type::<PyInt>().call_method1(intern!(self.py, "bit_length"), (integer,))?.extract()
        };
        let read = || -> PyResult<u64> {
            if number.cast::<PyInt>().is_ok() {
                return bits(number);
            }
            if number.cast::<PyFloat>().is_ok() {
                return Ok(0);
            }
            let part = |name| -> PyResult<u64> {
                optional(self.py, number.getattr(name))?.map_or(Ok(0), |part| bits(&part))
            };
            Ok(part(intern!(self.py, "numerator"))?.max(part(intern!(self.py, "denominator"))?))
        };
        read().map_err(|error| self.raised(error, "reading a number"))
    }
}
