//! A column's values in the order of the block's rows, those that are missing left out.

use crate::columns::NULL;

/// Row numbers in the order of the block, and the place of each row in it.
#[derive(Debug)]
pub(super) struct Rows {
    pub order: Vec<u32>,
    places: Vec<u32>,
}

impl Rows {
    pub fn new(order: Vec<u32>) -> Self {
        let mut places = vec![0; order.len()];
        (0..).zip(&order).for_each(|(place, row)| places[*row as usize] = place);
        Self { order, places }
    }

    pub fn len(&self) -> usize {
        self.order.len()
    }
}

/// Values of a column, and which rows have one. It is used again for every column.
#[derive(Debug, Default)]
pub(super) struct Gathered {
    /// A bit for each row, in the order of the block; not kept when every row has a value.
    pub bits: Vec<u64>,
    /// Of the rows that have a value: its code, or the row.
    pub values: Vec<u32>,
    /// Every row has one.
    pub all: bool,
    found: Vec<(u32, u32)>,
    before: Vec<u32>,
}

impl Gathered {
    /// Codes of which none is missing.
    pub fn required(&mut self, codes: &[u32], rows: &Rows) {
        self.values.clear();
        self.values.extend(rows.order.iter().map(|row| codes[*row as usize]));
        self.all = true;
    }

    /// Codes of which `count` are there.
    pub fn optional(&mut self, codes: &[u32], count: usize, rows: &Rows) {
        if count == rows.len() {
            self.required(codes, rows);
        } else if count > rows.len() / 4 {
            self.filtered(rows, |row| codes.get(row as usize).copied().unwrap_or(NULL));
        } else {
            self.sparse(codes, rows);
        }
    }

    /// What `value` gives for each row, [`NULL`] for none.
    pub fn filtered(&mut self, rows: &Rows, value: impl Fn(u32) -> u32) {
        self.values.clear();
        self.values.resize(rows.len(), 0);
        self.bits.clear();
        let mut at = 0;
        for rows in rows.order.chunks(64) {
            let mut word = 0;
            for (n, row) in rows.iter().enumerate() {
                let value = value(*row);
                self.values[at] = value; // overwritten by the next when it is none
                at += usize::from(value != NULL);
                word |= u64::from(value != NULL) << n;
            }
            self.bits.push(word);
        }
        self.values.truncate(at);
        self.all = at == rows.len();
    }

    /// At a cost of the values that are there, and of one look at the codes: a bit is set for each, and the bits before it tell its place.
    fn sparse(&mut self, codes: &[u32], rows: &Rows) {
        self.found.clear();
        self.bits.clear();
        self.bits.resize(rows.len().div_ceil(64), 0);
        for (place, codes) in rows.places.chunks(8).zip(codes.chunks(8)) {
            if codes.iter().all(|code| *code == NULL) {
                continue;
            }
            for (place, code) in place.iter().zip(codes).filter(|(_, code)| **code != NULL) {
                self.bits[*place as usize / 64] |= 1 << (place % 64);
                self.found.push((*place, *code));
            }
        }
        self.before.clear();
        let mut before = 0;
        self.before.extend(self.bits.iter().map(|word| {
            before += word.count_ones();
            before - word.count_ones()
        }));
        self.values.clear();
        self.values.resize(self.found.len(), 0);
        for (place, code) in &self.found {
            let word = *place as usize / 64;
            let lower = self.bits[word] & ((1 << (place % 64)) - 1);
            self.values[(self.before[word] + lower.count_ones()) as usize] = *code;
        }
        self.all = false;
    }
}
