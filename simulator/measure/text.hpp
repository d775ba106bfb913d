#pragma once
// Figures as a person reads them, and text made safe for the format it goes into.
#include <cstdint>
#include <string>
#include <string_view>

namespace shed::measure {

std::string size_text(std::uint64_t bytes);  // "64 KiB"; "1000 B" where no power of 1024 fits
std::string time_text(double us);            // three digits: "8.40 us", "1.27 ms", "2.31 s"
std::string bandwidth_text(double GBps);     // "12.4 GB/s", "850 MB/s"; GB is 10^9 bytes
std::string percent_text(double share, int decimals = 1);         // 0.034 -> "3.4 %"
std::string signed_percent_text(double share, int decimals = 1);  // "+3.4 %", "-0.2 %"
std::string figure(double value, int digits);  // so many significant digits, no exponent
std::string count_text(std::int64_t count, std::string_view noun);  // "1 host", "2 hosts"
std::string p_text(double p);                                       // "0.0412", "< 0.0001"

std::string utc_text(double unix_s);  // "2026-11-23T06:05:10Z"; years 1970 to 9999

// For HTML and XML text and attribute values. Invalid UTF-8 and characters that XML 1.0 forbids
// (section 2.2) become U+FFFD, so that any input yields a well-formed document.
std::string escape_markup(std::string_view text);
// The same repair without escaping: text that any UTF-8 reader takes and that moves no terminal
// cursor.
std::string printable(std::string_view text);
// A CSV field of RFC 4180, quoted only where needed.
std::string csv_field(std::string_view text);
// Cells a terminal uses: UTF-8 code points.
std::size_t text_width(std::string_view text);

}  // namespace shed::measure
