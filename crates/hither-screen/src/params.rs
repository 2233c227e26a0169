//! Numeric parameters of a control sequence.

/// Most parameters and most subparameters of a sequence; more are read and ignored.
const PARAMS_MAX: usize = 32;

/// Parameters with their subparameters (`4:3` is parameter 4 with subparameter 3). Values are
/// clamped to 2^31 - 1; a subparameter that was left out is -1, a parameter that was left out 0.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Params {
    values: [i32; PARAMS_MAX],
    len: usize,
    subs: [i32; PARAMS_MAX],
    subs_len: usize,
    /// Where the subparameters of each parameter end; they start where those before end.
    subs_end: [u8; PARAMS_MAX],
    /// Too many: where digits would go now.
    target: Target,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Target {
    Param,
    Sub,
    /// A parameter beyond the last: nothing more is taken.
    Full,
    /// A subparameter beyond the last; another parameter may follow.
    SubFull,
}

impl Default for Params {
    fn default() -> Self {
        Self {
            values: [0; PARAMS_MAX],
            len: 1,
            subs: [0; PARAMS_MAX],
            subs_len: 0,
            subs_end: [0; PARAMS_MAX],
            target: Target::Param,
        }
    }
}

impl Params {
    pub(crate) fn reset(&mut self) {
        self.values[0] = 0;
        self.subs_end[0] = 0;
        self.len = 1;
        self.subs_len = 0;
        self.target = Target::Param;
    }

    /// Takes a digit, `;` or `:`.
    pub(crate) fn put(&mut self, byte: u8) {
        match byte {
            b';' => self.next_param(),
            b':' => self.next_sub(),
            digit => self.digit(i32::from(digit.wrapping_sub(b'0'))),
        }
    }

    fn next_param(&mut self) {
        if self.target == Target::Full || self.len >= PARAMS_MAX {
            self.target = Target::Full;
            return;
        }
        self.values[self.len] = 0;
        self.subs_end[self.len] = self.subs_end[self.len - 1];
        self.len += 1;
        self.target = Target::Param;
    }

    fn next_sub(&mut self) {
        if self.target == Target::Full {
            return;
        }
        if self.target == Target::SubFull || self.subs_len >= PARAMS_MAX {
            self.target = Target::SubFull;
            return;
        }
        self.subs[self.subs_len] = -1;
        self.subs_len += 1;
        self.subs_end[self.len - 1] += 1;
        self.target = Target::Sub;
    }

    fn digit(&mut self, digit: i32) {
        let slot = match self.target {
            Target::Param => &mut self.values[self.len - 1],
            Target::Sub => &mut self.subs[self.subs_len - 1],
            Target::Full | Target::SubFull => return,
        };
        *slot = (*slot).max(0).saturating_mul(10).saturating_add(digit);
    }

    pub(crate) const fn len(&self) -> usize {
        self.len
    }

    /// Parameter `at`; 0 when it was left out.
    pub(crate) fn value(&self, at: usize) -> i32 {
        if at < self.len { self.values[at] } else { 0 }
    }

    /// Parameter `at` as a count: at least 1.
    pub(crate) fn count(&self, at: usize) -> usize {
        usize::try_from(self.value(at)).unwrap_or(0).max(1)
    }

    pub(crate) fn values(&self) -> &[i32] {
        &self.values[..self.len]
    }

    pub(crate) fn subparams(&self, at: usize) -> &[i32] {
        if at >= self.len {
            return &[];
        }
        let from = if at == 0 { 0 } else { usize::from(self.subs_end[at - 1]) };
        &self.subs[from..usize::from(self.subs_end[at])]
    }

    /// The bytes that bring fresh parameters into this state.
    pub(crate) fn write_to(&self, out: &mut Vec<u8>) {
        for at in 0..self.len {
            if at > 0 {
                out.push(b';');
            }
            if self.values[at] != 0 {
                out.extend_from_slice(self.values[at].to_string().as_bytes());
            }
            for &sub in self.subparams(at) {
                out.push(b':');
                if sub >= 0 {
                    out.extend_from_slice(sub.to_string().as_bytes());
                }
            }
        }
        match self.target {
            Target::Param | Target::Sub => {}
            Target::Full => out.push(b';'),
            Target::SubFull => out.push(b':'),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Params {
        let mut params = Params::default();
        text.bytes().for_each(|byte| params.put(byte));
        params
    }

    #[test]
    fn reads_values_and_subparameters() {
        let params = parse("1;;4:3:;38:2::9");
        assert_eq!(params.values(), [1, 0, 4, 38]);
        assert_eq!(params.subparams(2), [3, -1]);
        assert_eq!(params.subparams(3), [2, -1, 9]);
        assert_eq!(params.subparams(0), []);
    }

    #[test]
    fn clamps_and_forgets_what_is_too_much() {
        assert_eq!(parse("99999999999").value(0), i32::MAX);
        let many = parse(&"7;".repeat(1_000_000));
        assert_eq!(many.values(), [7; PARAMS_MAX]);
        let subs = parse(&format!("4{}", ":1".repeat(1000)));
        assert_eq!(subs.subparams(0), [1; PARAMS_MAX]);
    }

    #[test]
    fn can_be_written_and_read_again() {
        for text in ["", "5", "1;2", "4:3", "4::", "0;", &"1;".repeat(40), &"1:2".repeat(40)] {
            let params = parse(text);
            let mut bytes = Vec::new();
            params.write_to(&mut bytes);
            let again = parse(std::str::from_utf8(&bytes).unwrap());
            assert_eq!(again.values(), params.values(), "{text}");
            assert_eq!(again.target, params.target, "{text}");
            assert_eq!(again.subs[..again.subs_len], params.subs[..params.subs_len], "{text}");
        }
    }
}
