//! Images (ISO 32000-1, 8.9): pixels unpacked from a PNG and deflated once, or a JPEG as it is.

use pdf_writer::{Filter, Finish, Name, Ref};

use super::objects::{Deflater, Objects};

/// How tightly pixels are packed, once for all documents: of libdeflate's levels.
const LEVEL: i32 = 9;
/// The most that unpacking may take.
const UNPACKED_BYTES_MAX: usize = 256 << 20;

/// An image as documents carry it.
pub(in crate::render::pdf) struct Image {
    width: u32,
    height: u32,
    is_grey: bool,
    coding: Filter,
    data: Vec<u8>,
    /// How much of each pixel is seen, deflated; none where all of them are whole.
    mask: Option<Vec<u8>>,
    /// The profile that its colours are meant in, deflated; sRGB without.
    profile: Option<Vec<u8>>,
}

impl Image {
    /// Unpacks a PNG; none when it is broken.
    pub(in crate::render::pdf) fn png(file: &[u8]) -> Option<Image> {
        let mut decoder = png::Decoder::new(std::io::Cursor::new(file));
        decoder.set_transformations(png::Transformations::normalize_to_color8());
        decoder.set_limits(png::Limits { bytes: UNPACKED_BYTES_MAX });
        let mut reader = decoder.read_info().ok()?;
        let mut pixels = vec![0; reader.output_buffer_size()?];
        let frame = reader.next_frame(&mut pixels).ok()?;
        pixels.truncate(frame.buffer_size());
        let (n_colours, has_mask) = match frame.color_type {
            png::ColorType::Grayscale => (1, false),
            png::ColorType::GrayscaleAlpha => (1, true),
            png::ColorType::Rgb => (3, false),
            png::ColorType::Rgba => (3, true),
            png::ColorType::Indexed => return None,
        };
        let mut deflater = Deflater::new(LEVEL);
        let part = |pixels: &[u8], range: std::ops::Range<usize>| -> Vec<u8> {
            pixels.chunks_exact(n_colours + 1).flat_map(|pixel| pixel[range.clone()].iter().copied()).collect()
        };
        let mask = has_mask.then(|| part(&pixels, n_colours..n_colours + 1));
        let colours = if has_mask { part(&pixels, 0..n_colours) } else { pixels };
        let profile = reader.info().icc_profile.as_deref().filter(|profile| fits(profile, n_colours));
        Some(Image {
            width: frame.width,
            height: frame.height,
            is_grey: n_colours == 1,
            coding: Filter::FlateDecode,
            data: deflater.all(&colours),
            mask: mask.filter(|mask| mask.iter().any(|part| *part < 255)).map(|mask| deflater.all(&mask)),
            profile: profile.map(|profile| deflater.all(profile)),
        })
    }

    /// A JPEG of a size and so many colours, 1 or 3.
    pub(in crate::render::pdf) fn jpeg(file: Vec<u8>, (width, height): (u32, u32), n_colours: u8) -> Image {
        let profile = jpeg_profile(&file).filter(|profile| fits(profile, n_colours.into()));
        let profile = profile.map(|profile| Deflater::new(LEVEL).all(&profile));
        Image { width, height, is_grey: n_colours == 1, coding: Filter::DctDecode, data: file, mask: None, profile }
    }

    /// Width and height in pixels.
    pub(in crate::render::pdf) fn size(&self) -> (u32, u32) {
        (self.width, self.height)
    }

    /// How much it adds to a document.
    pub(in crate::render::pdf) fn n_bytes(&self) -> usize {
        let parts = [Some(&self.data), self.mask.as_ref(), self.profile.as_ref()];
        parts.into_iter().flatten().map(Vec::len).sum()
    }

    /// Writes its objects; gives the number of the image itself.
    pub(super) fn write(&self, objects: &mut Objects) -> Ref {
        let id = objects.reserve();
        let mask = self.mask.as_ref().map(|mask| {
            let id = objects.reserve();
            let mut image = objects.open(id).image_xobject(id, mask);
            image.width(self.width as i32).height(self.height as i32).bits_per_component(8);
            image.color_space_name(Name(b"DeviceGray")).filter(Filter::FlateDecode);
            id
        });
        let profile = self.profile.as_ref().map(|profile| {
            let id = objects.reserve();
            objects.deflated(id, profile, |stream| {
                stream.pair(Name(b"N"), if self.is_grey { 1 } else { 3 });
            });
            id
        });
        let mut image = objects.open(id).image_xobject(id, &self.data);
        image.width(self.width as i32).height(self.height as i32).bits_per_component(8);
        match profile {
            Some(profile) => image.color_space().icc_based(profile),
            None if self.is_grey => _ = image.color_space_name(Name(b"DeviceGray")),
            None => _ = image.color_space_name(Name(b"DeviceRGB")),
        }
        if let Some(mask) = mask {
            image.s_mask(mask);
        }
        image.filter(self.coding);
        image.finish();
        id
    }
}

/// Whether a colour profile is one of a display's, of so many colours, that an archive takes (ISO 19005-3, 6.2.4.2;
/// ICC.1:2004-10, 7.2).
fn fits(profile: &[u8], n_colours: usize) -> bool {
    let space: &[u8] = if n_colours == 1 { b"GRAY" } else { b"RGB " };
    let is_class = matches!(profile.get(12..16), Some(b"mntr" | b"scnr" | b"prtr" | b"spac"));
    let is_whole = profile.get(..4).is_some_and(|size| size == (profile.len() as u32).to_be_bytes());
    let has_tags = profile.get(128..132).is_some_and(|n_tags| n_tags != [0; 4]);
    let is_known = profile.get(36..40) == Some(b"acsp") && profile.get(8).is_some_and(|version| *version <= 4);
    is_whole && is_class && is_known && has_tags && profile.get(16..20) == Some(space)
}

/// The segments of a JPEG up to where its pixels begin, each with its marker and what it holds (ITU-T T.81, B.1.1).
pub(in crate::render::pdf) fn jpeg_segments(file: &[u8]) -> impl Iterator<Item = (u8, &[u8])> {
    let mut at = 2;
    std::iter::from_fn(move || {
        // Any number of bytes 0xff may stand before a marker.
        at += file.get(at..)?.windows(2).take_while(|pair| *pair == [0xff, 0xff]).count();
        let &[0xff, marker, high, low] = file.get(at..at + 4)? else { return None };
        let start = at + 4;
        at += 2 + usize::from(u16::from_be_bytes([high, low]));
        let held = file.get(start..at)?;
        if marker == PIXELS {
            at = file.len();
        }
        Some((marker, held))
    })
}

/// The marker of the segment behind which pixels stand.
pub(in crate::render::pdf) const PIXELS: u8 = 0xda;

/// The colour profile of a JPEG, whose parts stand in segments of their own (ICC.1:2004-10, B.4).
fn jpeg_profile(file: &[u8]) -> Option<Vec<u8>> {
    let part = |(marker, held): (u8, &'_ [u8])| match (marker, held.strip_prefix(b"ICC_PROFILE\0")?) {
        (0xe2, [number, _, part @ ..]) => Some((*number, part.to_vec())),
        _ => None,
    };
    let mut parts: Vec<(u8, Vec<u8>)> = jpeg_segments(file).filter_map(part).collect();
    parts.sort_by_key(|(number, _)| *number);
    (!parts.is_empty()).then(|| parts.into_iter().flat_map(|(_, part)| part).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn png(colour: png::ColorType, depth: png::BitDepth, pixels: &[u8], profile: Option<&[u8]>) -> Vec<u8> {
        let mut info = png::Info::with_size(2, 1);
        (info.color_type, info.bit_depth) = (colour, depth);
        info.icc_profile = profile.map(|profile| profile.to_vec().into());
        let mut file = Vec::new();
        let mut writer = png::Encoder::with_info(&mut file, info).unwrap().write_header().unwrap();
        writer.write_image_data(pixels).unwrap();
        writer.finish().unwrap();
        file
    }

    fn inflated(bytes: &[u8]) -> Vec<u8> {
        let mut inflated = Vec::new();
        std::io::Read::read_to_end(&mut flate2::read::ZlibDecoder::new(bytes), &mut inflated).unwrap();
        inflated
    }

    #[test]
    fn pixels_of_every_kind_are_unpacked() {
        use png::{BitDepth::*, ColorType::*};
        for (colour, depth, pixels, wants, mask) in [
            (Rgb, Eight, &[1, 2, 3, 4, 5, 6][..], &[1, 2, 3, 4, 5, 6][..], None),
            (Rgba, Eight, &[1, 2, 3, 255, 4, 5, 6, 7], &[1, 2, 3, 4, 5, 6], Some(&[255, 7][..])),
            (Rgba, Eight, &[1, 2, 3, 255, 4, 5, 6, 255], &[1, 2, 3, 4, 5, 6], None),
            (Grayscale, Eight, &[9, 200], &[9, 200], None),
            (Grayscale, One, &[0b0100_0000], &[0, 255], None),
            (GrayscaleAlpha, Eight, &[9, 0, 200, 255], &[9, 200], Some(&[0, 255])),
            (Grayscale, Sixteen, &[9, 99, 200, 0], &[9, 200], None),
        ] {
            let image = Image::png(&png(colour, depth, pixels, None)).unwrap();
            assert_eq!((image.size(), inflated(&image.data).as_slice()), ((2, 1), wants), "{colour:?} {depth:?}");
            assert_eq!(image.mask.as_deref().map(inflated).as_deref(), mask, "{colour:?} {depth:?}");
            assert_eq!(image.is_grey, matches!(colour, Grayscale | GrayscaleAlpha));
        }
        let whole = png(Rgb, Eight, &[1, 2, 3, 4, 5, 6], None);
        assert!(Image::png(&whole[..whole.len() - 20]).is_none());
    }

    #[test]
    fn a_profile_is_kept_where_an_archive_takes_it() {
        let srgb = include_bytes!("sRGB-v4.icc");
        let grey = [&srgb[..16], b"GRAY", &srgb[20..]].concat();
        let kept = |profile: &[u8]| {
            let file = png(png::ColorType::Rgb, png::BitDepth::Eight, &[0; 6], Some(profile));
            Image::png(&file).unwrap().profile.map(|profile| inflated(&profile))
        };
        assert_eq!(kept(srgb), Some(srgb.to_vec()));
        assert_eq!((kept(&grey), kept(b"nothing"), kept(&srgb[..400])), (None, None, None));
        let mut bare = srgb[..132].to_vec();
        bare[..4].copy_from_slice(&132_u32.to_be_bytes());
        bare[128..].fill(0);
        assert_eq!(kept(&bare), None);

        let segment = |number: u8, part: &[u8]| {
            let length = (part.len() + 16) as u16;
            [b"\xff\xe2", &length.to_be_bytes()[..], b"ICC_PROFILE\0", &[number, 2], part].concat()
        };
        let jpeg = [b"\xff\xd8", &segment(2, &srgb[200..])[..], &segment(1, &srgb[..200]), b"\xff\xda\0\x02"].concat();
        assert_eq!(jpeg_profile(&jpeg).as_deref(), Some(&srgb[..]));
        assert_eq!(jpeg_profile(&jpeg[..100]), None);
        let markers = |file: &[u8]| jpeg_segments(file).map(|(marker, _)| marker).collect::<Vec<u8>>();
        assert_eq!(markers(&jpeg), [0xe2, 0xe2, PIXELS]);
        assert_eq!(markers(b"\xff\xd8\xff\xff\xff\xe0\0\x02\xff\xda\0\x02\xff\xe2\0\x02"), [0xe0, PIXELS]);
        for broken in
            [&b""[..], b"\xff\xd8", b"\xff\xd8\xff\xe0\0\0", b"\xff\xd8\xff\xe0\0\x09x", b"\xff\xd8\0\xe0\0\x02"]
        {
            assert_eq!(markers(broken), [0; 0]);
        }
        assert!(Image::jpeg(jpeg, (2, 1), 3).profile.is_some());
    }
}
