//! Small files made from their names: pictures of screens, drawings, logs, tables.

use bytes::Bytes;

use super::dice::Dice;

/// The file of this name; the same name gives the same bytes.
pub(super) fn file(name: &str) -> Bytes {
    let seed = name.bytes().fold(17_u64, |seed, byte| {
        seed.wrapping_mul(31).wrapping_add(u64::from(byte))
    });
    let mut dice = Dice::new(seed, 0);
    let bytes = match name.rsplit('.').next() {
        Some("png") => png(&screen(&mut dice)),
        Some("svg") => drawing(&mut dice, name).into_bytes(),
        Some("csv") => table(&mut dice).into_bytes(),
        Some(_) | None => log(&mut dice, name).into_bytes(),
    };
    Bytes::from(bytes)
}

const WIDTH: usize = 420;
const HEIGHT: usize = 240;
/// Paper, bar, text, field, accent, warning.
const PALETTE: [[u8; 3]; 6] = [
    [250, 250, 252],
    [52, 58, 78],
    [205, 208, 218],
    [236, 237, 243],
    [96, 125, 204],
    [214, 84, 70],
];

/// A window with a form and a button, as far as 420 × 240 points allow.
fn screen(dice: &mut Dice) -> Vec<u8> {
    let mut points = vec![0_u8; WIDTH * HEIGHT];
    let mut fill = |left: usize, top: usize, width: usize, height: usize, color: u8| {
        for row in points.chunks_mut(WIDTH).skip(top).take(height) {
            row.iter_mut()
                .skip(left)
                .take(width)
                .for_each(|point| *point = color);
        }
    };
    fill(0, 0, WIDTH, 26, 1);
    for dot in 0..3 {
        fill(12 + dot * 16, 9, 8, 8, if dot == 0 { 5 } else { 2 });
    }
    let mut some = |least: u64, span: u64| usize::try_from(least + dice.below(span)).unwrap_or(0);
    fill(24, 44, some(90, 120), 12, 1);
    let rows = some(3, 2);
    let wrong = some(0, 4);
    for row in 0..rows {
        let top = 70 + row * 30;
        fill(24, top, some(50, 60), 8, 2);
        let width = some(150, 90);
        fill(150, top - 6, width, 20, if row == wrong { 5 } else { 2 });
        fill(151, top - 5, width - 2, 18, 3);
    }
    fill(270, 204, 120, 24, 4);
    fill(300, 212, 60, 8, 0);
    points
}

/// A palette picture, uncompressed: a few kilobytes more, and no compressor to carry.
fn png(points: &[u8]) -> Vec<u8> {
    let mut rows = Vec::with_capacity(points.len() + HEIGHT);
    for row in points.chunks(WIDTH) {
        rows.push(0);
        rows.extend_from_slice(row);
    }
    let mut header = Vec::new();
    header.extend_from_slice(&(WIDTH as u32).to_be_bytes());
    header.extend_from_slice(&(HEIGHT as u32).to_be_bytes());
    header.extend_from_slice(&[8, 3, 0, 0, 0]);
    let mut picture = b"\x89PNG\r\n\x1a\n".to_vec();
    chunk(&mut picture, b"IHDR", &header);
    chunk(&mut picture, b"PLTE", PALETTE.as_flattened());
    chunk(&mut picture, b"IDAT", &stored(&rows));
    chunk(&mut picture, b"IEND", &[]);
    picture
}

fn chunk(picture: &mut Vec<u8>, name: &[u8; 4], content: &[u8]) {
    let length = u32::try_from(content.len()).unwrap_or(u32::MAX);
    picture.extend_from_slice(&length.to_be_bytes());
    let checked: Vec<u8> = name.iter().chain(content).copied().collect();
    picture.extend_from_slice(&checked);
    picture.extend_from_slice(&crc(&checked).to_be_bytes());
}

/// A zlib stream of stored blocks.
fn stored(bytes: &[u8]) -> Vec<u8> {
    let mut stream = vec![0x78, 0x01];
    let blocks: Vec<&[u8]> = bytes.chunks(usize::from(u16::MAX)).collect();
    for (number, block) in blocks.iter().enumerate() {
        let length = u16::try_from(block.len()).unwrap_or(u16::MAX);
        stream.push(u8::from(number + 1 == blocks.len()));
        stream.extend_from_slice(&length.to_le_bytes());
        stream.extend_from_slice(&(!length).to_le_bytes());
        stream.extend_from_slice(block);
    }
    let (a, b) = bytes.iter().fold((1_u32, 0_u32), |(a, b), byte| {
        let a = (a + u32::from(*byte)) % 65_521;
        (a, (b + a) % 65_521)
    });
    stream.extend_from_slice(&((b << 16) | a).to_be_bytes());
    stream
}

fn crc(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(u32::MAX, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| {
            (crc >> 1) ^ (0xEDB8_8320 * (crc & 1))
        })
    })
}

fn drawing(dice: &mut Dice, name: &str) -> String {
    let bars: String = (0..9)
        .map(|bar| {
            let height = 24 + dice.below(130);
            let (left, top) = (42 + bar * 48, 188 - height);
            format!("<rect x=\"{left}\" y=\"{top}\" width=\"32\" height=\"{height}\" rx=\"3\" fill=\"#7b58cf\"/>")
        })
        .collect();
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 500 230\" width=\"500\" height=\"230\">\
         <rect width=\"500\" height=\"230\" rx=\"8\" fill=\"#f5f4f9\"/>{bars}\
         <path d=\"M30 190h446\" stroke=\"#737278\"/><text x=\"30\" y=\"214\" font-family=\"sans-serif\" \
         font-size=\"13\" fill=\"#535158\">{name}</text></svg>\n"
    )
}

fn table(dice: &mut Dice) -> String {
    let rows = ["AT", "CH", "DE", "ES", "FR", "IT", "NL", "SE"].map(|country| {
        format!(
            "{country},{},{}.{:02}\n",
            200 + dice.below(9_000),
            1 + dice.below(6),
            dice.below(100)
        )
    });
    format!("country,orders,abandoned percent\n{}", rows.concat())
}

fn log(dice: &mut Dice, name: &str) -> String {
    let lines = (0..24).map(|second| {
        let level = dice.word(&["INFO ", "INFO ", "INFO ", "WARN ", "ERROR"]);
        let said = dice.word(&[
            "cart loaded",
            "price recalculated",
            "payment intent created",
            "wallet sheet opened",
            "tax service answered late, using cached rates",
            "retrying confirmation",
            "/close is not a command here, only a line of a log",
        ]);
        format!(
            "2026-09-14T08:31:{second:02}Z {level} checkout {said} ({} ms)\n",
            3 + dice.below(900)
        )
    });
    format!("# {name}\n{}", lines.collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::{crc, file, stored};

    #[test]
    fn pictures_are_valid_files() {
        // The check values that both formats' specifications give.
        assert_eq!(crc(b"123456789"), 0xCBF4_3926);
        assert_eq!(
            stored(b"Wikipedia").last_chunk::<4>(),
            Some(&[0x11, 0xE6, 0x03, 0x98])
        );
        let picture = file("cart.png");
        assert!(picture.starts_with(b"\x89PNG\r\n\x1a\n"));
        assert!(picture.ends_with(&[0, 0, 0, 0, b'I', b'E', b'N', b'D', 0xAE, 0x42, 0x60, 0x82]));
    }

    #[test]
    fn the_same_name_gives_the_same_file() {
        for name in ["cart.png", "load.svg", "orders.csv", "trace.log"] {
            assert_eq!(file(name), file(name));
        }
        assert_ne!(file("a.png"), file("b.png"));
    }
}
