#include "crypto/digest.h"

#include <gtest/gtest.h>

#include "../../support/vectors.h"

namespace holdfast::crypto {
namespace {

using holdfast::testing::from_hex;

TEST(Digest, Sha256OfFips180) {
  EXPECT_EQ(as_text(sha256("abc")),
            from_hex("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"));
  EXPECT_EQ(as_text(sha256("")),
            from_hex("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"));
}

TEST(Digest, PartsAreTheirConcatenation) {
  const std::string_view parts[] = {"a", "", "bc"};
  EXPECT_EQ(sha256(parts), sha256("abc"));
}

TEST(Digest, HmacOfRfc4231) {
  EXPECT_EQ(as_text(hmac_sha256(std::string(20, '\x0b'), "Hi There")),
            from_hex("b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"));
  EXPECT_EQ(as_text(hmac_sha256("Jefe", "what do ya want for nothing?")),
            from_hex("5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"));
  // Test case 6: a key longer than a block.
  EXPECT_EQ(as_text(hmac_sha256(std::string(131, '\xaa'),
                                "Test Using Larger Than Block-Size Key - Hash Key First")),
            from_hex("60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"));
}

TEST(Digest, EqualInConstantTime) {
  EXPECT_TRUE(constant_time_equal("", ""));
  EXPECT_TRUE(constant_time_equal("abc", "abc"));
  EXPECT_FALSE(constant_time_equal("abc", "abd"));
  EXPECT_FALSE(constant_time_equal("abc", "ab"));
  EXPECT_FALSE(constant_time_equal("ab", "abc"));
}

}  // namespace
}  // namespace holdfast::crypto
