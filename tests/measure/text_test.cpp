#include "simulator/measure/text.hpp"

#include "fakes/base/base64.hpp"
#include "fakes/base/rng.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <cmath>

namespace shed::measure {
namespace {

TEST(Text, SizesAreOfPowersOf1024) {
    EXPECT_EQ(size_text(0), "0 B");
    EXPECT_EQ(size_text(4), "4 B");
    EXPECT_EQ(size_text(1000), "1000 B");
    EXPECT_EQ(size_text(65536), "64 KiB");
    EXPECT_EQ(size_text(1536), "1536 B");
    EXPECT_EQ(size_text(17179869184), "16 GiB");
}

TEST(Text, TimesHaveThreeDigitsAndAFittingUnit) {
    EXPECT_EQ(time_text(0.3), "0.300 us");
    EXPECT_EQ(time_text(8.4), "8.40 us");
    EXPECT_EQ(time_text(9.996), "10.0 us");
    EXPECT_EQ(time_text(999.6), "1.00 ms");
    EXPECT_EQ(time_text(7973), "7.97 ms");
    EXPECT_EQ(time_text(2'310'000), "2.31 s");
    EXPECT_EQ(time_text(0), "0 us");
    EXPECT_EQ(time_text(NAN), "-");
    EXPECT_EQ(bandwidth_text(487.09), "487 GB/s");
    EXPECT_EQ(bandwidth_text(0.4123), "412 MB/s");
    EXPECT_EQ(bandwidth_text(0.0000813), "81.3 kB/s");
    EXPECT_EQ(bandwidth_text(0), "0 GB/s");
}

TEST(Text, PercentagesKeepTheirSignUnlessTheyRoundToNothing) {
    EXPECT_EQ(percent_text(0.034), "3.4 %");
    EXPECT_EQ(signed_percent_text(0.034), "+3.4 %");
    EXPECT_EQ(signed_percent_text(-0.25, 0), "-25 %");
    EXPECT_EQ(signed_percent_text(-0.0001), "0.0 %");
    EXPECT_EQ(signed_percent_text(INFINITY), "-");
    EXPECT_EQ(count_text(1, "host") + ", " + count_text(2, "rank"), "1 host, 2 ranks");
    EXPECT_EQ(p_text(0.00001), "< 0.0001");
    EXPECT_EQ(p_text(0.04123), "0.0412");
}

TEST(EscapeMarkup, EscapesAndRepairs) {
    EXPECT_EQ(escape_markup("<a b='c'>\"&"), "&lt;a b=&#39;c&#39;&gt;&quot;&amp;");
    EXPECT_EQ(escape_markup("p\u00B1q \U0001F600\n\t"), "p\u00B1q \U0001F600\n\t");
    const std::string bad = "\xEF\xBF\xBD";
    EXPECT_EQ(escape_markup(std::string_view("a\0b", 3)), "a" + bad + "b");
    EXPECT_EQ(escape_markup("\x1b[31m"), bad + "[31m");
    EXPECT_EQ(escape_markup("\xC0\xBC"), bad + bad) << "an overlong <";
    EXPECT_EQ(escape_markup("\xED\xA0\x80"), bad + bad + bad) << "a surrogate";
    EXPECT_EQ(escape_markup("\xEF\xBF\xBE"), bad) << "not a character in XML";
    EXPECT_EQ(escape_markup("\xE2\x82"), bad + bad) << "cut off";
    EXPECT_EQ(escape_markup("\xF4\x90\x80\x80"), bad + bad + bad + bad) << "beyond U+10FFFF";
    EXPECT_EQ(escape_markup("\xC2\x9B"), bad) << "a C1 control that terminals obey";
    EXPECT_EQ(printable("a\r\nb\x07"), "a  b" + bad);
}

// Escaping repaired text again may only touch ampersands: nothing forbidden is left.
TEST(EscapeMarkup, LeavesNothingToRepairInRandomBytes) {
    Rng rng(3);
    for (int round = 0; round < 2000; ++round) {
        std::string bytes;
        for (std::uint64_t n = rng.below(40); n > 0; --n)
            bytes += static_cast<char>(rng.below(256));
        const std::string once = printable(bytes);
        EXPECT_EQ(printable(once), once);
        EXPECT_EQ(escape_markup(bytes).find_first_of("<>\"'"), std::string::npos);
    }
}

TEST(Base64, DecodesToWhatWasEncoded) {
    EXPECT_EQ(encode_base64("foobar"), "Zm9vYmFy");
    EXPECT_EQ(encode_base64("fooba"), "Zm9vYmE=");
    EXPECT_EQ(encode_base64("foob"), "Zm9vYg==");
    EXPECT_EQ(encode_base64(""), "");
    const std::string bytes("\0\xFF\x80 a", 5);
    EXPECT_EQ(decode_base64(encode_base64(bytes)), bytes);
}

TEST(Csv, QuotesWhatNeedsIt) {
    EXPECT_EQ(csv_field("plain"), "plain");
    EXPECT_EQ(csv_field("a,\"b\""), "\"a,\"\"b\"\"\"");
}

}  // namespace
}  // namespace shed::measure
