//! Degrees → points of the page, and fewer of them.

/// A point of the page, not yet rounded.
pub type Point = (f64, f64);

/// The meridian in the middle of the map, opposite to where it is cut.
const MIDDLE_LONGITUDE: f64 = 11.0;

/// Equal Earth (Šavrič, Patterson and Jenny 2018): areas are true to each other, as shades over them must be.
/// The earth's radius is 1, and y points down as on a page.
pub fn equal_earth((longitude, latitude): (f64, f64)) -> Point {
    const A: [f64; 4] = [1.340_264, -0.081_106, 0.000_893, 0.003_796];
    let root = 3.0_f64.sqrt();
    let t = (root / 2.0 * latitude.to_radians().sin()).asin();
    let (t2, t6) = (t * t, t.powi(6));
    let slope = A[0] + 3.0 * A[1] * t2 + t6 * (7.0 * A[2] + 9.0 * A[3] * t2);
    let x = 2.0 * root * (longitude - MIDDLE_LONGITUDE).to_radians() * t.cos() / (3.0 * slope);
    (x, -t * (A[0] + A[1] * t2 + t6 * (A[2] + A[3] * t2)))
}

/// Twice the area of a ring, positive or negative by its direction.
pub fn doubled_area(ring: &[Point]) -> f64 {
    let next = ring.iter().cycle().skip(1);
    ring.iter().zip(next).map(|(a, b)| a.0 * b.1 - b.0 * a.1).sum()
}

/// The middle of a ring's area.
pub fn middle(ring: &[Point]) -> Point {
    let whole = 3.0 * doubled_area(ring);
    let parts = ring.iter().zip(ring.iter().cycle().skip(1));
    let sum = parts.fold((0.0, 0.0), |sum, (a, b)| {
        let cross = a.0 * b.1 - b.0 * a.1;
        (sum.0 + (a.0 + b.0) * cross, sum.1 + (a.1 + b.1) * cross)
    });
    (sum.0 / whole, sum.1 / whole)
}

/// A line without its least telling points: those whose triangle with their neighbours is smaller than `area_min`
/// has it there go, the smallest first (Visvalingam and Whyatt 1993). Both ends stay, and of a closed line two
/// points between them.
pub fn simplified(line: &[Point], area_min: impl Fn(&Point) -> f64) -> Vec<Point> {
    let mut line = line.to_vec();
    let n_min = if line.first() == line.last() { 4 } else { 2 };
    while line.len() > n_min {
        let parts = line.windows(3).map(|triangle| doubled_area(triangle).abs() / 2.0 / area_min(&triangle[1]));
        match parts.enumerate().min_by(|a, b| a.1.total_cmp(&b.1)) {
            Some((n, part)) if part < 1.0 => line.remove(n + 1),
            _ => break,
        };
    }
    line
}
