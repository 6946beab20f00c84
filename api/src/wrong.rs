//! What is wrong with the parts of a request, collected so that all of it is told at once.

use crate::problem::{FieldError, Problem};

/// What was found wrong so far.
#[derive(Default)]
pub(crate) struct Wrong(pub(crate) Vec<FieldError>);

impl Wrong {
    pub(crate) fn at(&mut self, pointer: &str, detail: &str) {
        self.0.push(FieldError::at(pointer, detail));
    }

    pub(crate) fn within(
        &mut self,
        pointer: &str,
        given: Option<i64>,
        least: i64,
        most: i64,
    ) -> Option<i64> {
        let given = given?;
        if (least..=most).contains(&given) {
            return Some(given);
        }
        self.at(pointer, &format!("give {least} to {most}"));
        None
    }

    pub(crate) fn label(&mut self, pointer: &str, label: &str) {
        if label.chars().count() > 255 || label.contains([',', '\0']) {
            self.at(pointer, "a label has 255 characters at most, and no comma");
        }
    }
}

/// Refuses what is too long for a line.
pub(crate) fn short(pointer: &str, text: &str, most: usize) -> Result<(), Problem> {
    if text.trim().is_empty() || text.chars().count() > most || text.contains('\0') {
        let detail = format!("give 1 to {most} characters");
        return Err(Problem::invalid(vec![FieldError::at(pointer, detail)]));
    }
    Ok(())
}
