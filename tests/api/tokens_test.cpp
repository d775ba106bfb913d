// Tokens of service accounts: what is in them, how long they are good, and what undoes them.
#include "fixture.hpp"

namespace shed::test {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

constexpr const char* accounts = "/api/v1/namespaces/default/serviceaccounts";
constexpr const char* reviews = "/apis/authentication.k8s.io/v1/tokenreviews";
constexpr const char* issuer = "https://kubernetes.default.svc.cluster.local";

std::string decoded(std::string_view base64_url) {
    static const std::string letters =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    std::string bytes;
    std::uint32_t buffer = 0;
    int bits = 0;
    for (char c : base64_url) {
        buffer = buffer << 6 | static_cast<std::uint32_t>(letters.find(c));
        if ((bits += 6) >= 8) bytes.push_back(static_cast<char>(buffer >> (bits -= 8) & 255));
    }
    return bytes;
}

std::vector<std::string> parts_of(const std::string& token) {
    const auto first = token.find('.'), last = token.rfind('.');
    return {token.substr(0, first), token.substr(first + 1, last - first - 1),
            token.substr(last + 1)};
}

Json claims_of(const std::string& token) { return Json::parse(decoded(parts_of(token)[1])); }

struct TokenCluster : Cluster {
    TokenCluster() {
        EXPECT_EQ(post(accounts, {{"metadata", {{"name", "robot"}}}}).status, 201);
        const Json container = {{"name", "c"}, {"image", "i"}};
        const Json spec = {{"containers", Json::array({container})},
                           {"serviceAccountName", "robot"},
                           {"nodeName", "n1"}};
        const auto made = post("/api/v1/namespaces/default/pods",
                               {{"metadata", {{"name", "p"}}}, {"spec", spec}});
        EXPECT_EQ(made.status, 201) << made.body;
    }

    Json ask(const Json& spec, int status = 201) {
        const Response response = post(std::string(accounts) + "/robot/token", {{"spec", spec}});
        EXPECT_EQ(response.status, status) << response.body;
        return Json::parse(response.body);
    }
    std::string token(const Json& spec = Json::object()) {
        return string_at(ask(spec), "status.token");
    }
    std::string token_of_pod(std::int64_t seconds = 3607) {
        return token({{"expirationSeconds", seconds},
                      {"boundObjectRef", {{"kind", "Pod"}, {"apiVersion", "v1"}, {"name", "p"}}}});
    }
    Json review(const std::string& text, const Json& audiences = nullptr) {
        const Response response =
            post(reviews, {{"spec", {{"token", text}, {"audiences", audiences}}}});
        EXPECT_EQ(response.status, 201) << response.body;
        return member(Json::parse(response.body), "status");
    }
    std::string complaint(const std::string& text, const Json& audiences = nullptr) {
        const Json status = review(text, audiences);
        EXPECT_FALSE(bool_at(status, "authenticated"));
        return string_at(status, "error");
    }
    std::string uid(const std::string& target) { return string_at(get(target), "metadata.uid"); }
};

TEST(Tokens, OfAPodNameItItsNodeAndItsAccount) {
    TokenCluster c;
    const Json claims = claims_of(c.token_of_pod());
    const std::int64_t now =
        std::chrono::duration_cast<std::chrono::seconds>(c.now.time_since_epoch()).count();
    EXPECT_EQ(claims["iss"], issuer);
    EXPECT_EQ(claims["aud"], Json::array({issuer}));
    EXPECT_EQ(claims["sub"], "system:serviceaccount:default:robot");
    EXPECT_EQ(claims["iat"], now);
    EXPECT_EQ(claims["nbf"], now);
    EXPECT_EQ(claims["exp"], now + 365 * 24 * 3600) << "a pod's usual token is extended";
    EXPECT_EQ(string_at(claims, "jti").size(), 36U);
    const Json own = claims["kubernetes.io"];
    EXPECT_EQ(own["namespace"], "default");
    EXPECT_EQ(own["serviceaccount"],
              (Json{{"name", "robot"}, {"uid", c.uid(std::string(accounts) + "/robot")}}));
    EXPECT_EQ(own["pod"],
              (Json{{"name", "p"}, {"uid", c.uid("/api/v1/namespaces/default/pods/p")}}));
    EXPECT_EQ(own["node"], (Json{{"name", "n1"}}));
    EXPECT_EQ(own["warnafter"], now + 3607);
}

TEST(Tokens, TellWhoAskedToAReview) {
    TokenCluster c;
    const Json status = c.review(c.token_of_pod());
    EXPECT_EQ(status["authenticated"], true);
    EXPECT_EQ(status["audiences"], Json::array({issuer}));
    const Json user = status["user"];
    EXPECT_EQ(user["username"], "system:serviceaccount:default:robot");
    EXPECT_EQ(user["uid"], c.uid(std::string(accounts) + "/robot"));
    EXPECT_EQ(user["groups"],
              Json::array({"system:serviceaccounts", "system:serviceaccounts:default",
                           "system:authenticated"}));
    EXPECT_EQ(user["extra"]["authentication.kubernetes.io/pod-name"], Json::array({"p"}));
    EXPECT_THAT(user["extra"]["authentication.kubernetes.io/credential-id"].dump(),
                HasSubstr("JTI="));
}

TEST(Tokens, ExpireAMinuteAfterTheirTime) {
    TokenCluster c;
    const Json answer = c.ask({{"expirationSeconds", 600}});
    EXPECT_EQ(string_at(answer, "status.expirationTimestamp"), "2026-11-23T06:15:10Z");
    const std::string token = string_at(answer, "status.token");
    c.now += std::chrono::seconds(660);
    EXPECT_EQ(c.api.user_of_token(token, c.now), "system:serviceaccount:default:robot");
    c.now += std::chrono::seconds(1);
    EXPECT_EQ(c.api.user_of_token(token, c.now), "");
    EXPECT_EQ(c.complaint(token), "[invalid bearer token, service account token has expired]");
}

TEST(Tokens, OpenOnlyWhatTheyAreFor) {
    TokenCluster c;
    const std::string token = c.token({{"audiences", Json::array({"vault", "other"})}});
    EXPECT_EQ(c.api.user_of_token(token, c.now), "");
    EXPECT_EQ(
        c.complaint(token),
        "[invalid bearer token, token audiences [\"vault\" \"other\"] is invalid for the target "
        "audiences [\"https://kubernetes.default.svc.cluster.local\"]]");
    EXPECT_EQ(c.review(token, Json::array({"x", "vault"}))["audiences"], Json::array({"vault"}));
}

TEST(Tokens, EndWithTheirPodOrTheirAccount) {
    TokenCluster c;
    const std::string of_pod = c.token_of_pod(), plain = c.token();
    ASSERT_EQ(c.remove("/api/v1/namespaces/default/pods/p", {{"gracePeriodSeconds", 0}}).status,
              200);
    EXPECT_EQ(c.complaint(of_pod),
              "[invalid bearer token, service account token has been invalidated]");
    EXPECT_EQ(c.review(plain)["authenticated"], true);
    ASSERT_EQ(c.remove(std::string(accounts) + "/robot").status, 200);
    EXPECT_EQ(c.complaint(plain), "[invalid bearer token, serviceaccounts \"robot\" not found]");
    ASSERT_EQ(c.post(accounts, {{"metadata", {{"name", "robot"}}}}).status, 201);
    EXPECT_THAT(c.complaint(plain), HasSubstr("service account UID ("));
    EXPECT_EQ(c.api.user_of_token(plain, c.now), "");
}

TEST(Tokens, OfOthersAreRefused) {
    TokenCluster c, other;
    const std::vector<std::string> parts = parts_of(c.token());
    const std::string header = parts[0], claims = parts[1], signature = parts[2];
    const std::string unsigned_header = "eyJhbGciOiJub25lIn0";  // {"alg":"none"}
    std::string altered = claims;
    altered[10] = altered[10] == 'A' ? 'B' : 'A';
    for (const std::string& text :
         {std::string("x"), std::string("a.b.c"), std::string(".."), other.token(),
          header + "." + altered + "." + signature, header + "." + claims + ".",
          header + "." + claims + "." + signature + "AA", unsigned_header + "." + claims + ".",
          unsigned_header + "." + claims + "." + signature})
        EXPECT_EQ(c.complaint(text), "invalid bearer token") << text;
    EXPECT_EQ(c.post(reviews, {{"spec", {{"token", ""}}}}).status, 400);
}

TEST(Tokens, AreRefusedForTooShortOrForWhatIsNotThere) {
    TokenCluster c;
    EXPECT_EQ(string_at(c.ask({{"expirationSeconds", 599}}, 422), "message"),
              "TokenRequest.authentication.k8s.io \"\" is invalid: spec.expirationSeconds: Invalid "
              "value: 599: may not specify a duration less than 10 minutes");
    const auto bound = [](Json reference) {
        return Json{{"boundObjectRef", std::move(reference)}};
    };
    c.ask(bound({{"kind", "Pod"}, {"apiVersion", "v1"}, {"name", "none"}}), 404);
    c.ask(bound({{"kind", "Pod"}, {"apiVersion", "v1"}, {"name", "p"}, {"uid", "u"}}), 409);
    EXPECT_EQ(
        string_at(c.ask(bound({{"kind", "Job"}, {"apiVersion", "batch/v1"}, {"name", "p"}}), 400),
                  "message"),
        "cannot bind token to object of type batch/v1, Kind=Job");
    ASSERT_EQ(c.post(accounts, {{"metadata", {{"name", "second"}}}}).status, 201);
    const Json reference = {{"kind", "Pod"}, {"apiVersion", "v1"}, {"name", "p"}};
    const Response other =
        c.post(std::string(accounts) + "/second/token", {{"spec", bound(reference)}});
    EXPECT_EQ(other.status, 400);
    EXPECT_THAT(other.body, HasSubstr("to pod running with different serviceaccount name."));
    EXPECT_EQ(c.post(std::string(accounts) + "/none/token", {{"spec", Json::object()}}).status,
              404);
}

TEST(Tokens, CanBeVerifiedByAnyoneWithTheServedKey) {
    TokenCluster c;
    const Json configuration = c.get("/.well-known/openid-configuration");
    EXPECT_EQ(configuration["issuer"], issuer);
    EXPECT_EQ(configuration["jwks_uri"], std::string(issuer) + "/openid/v1/jwks");
    const Response keys = c.send({"GET", "/openid/v1/jwks"});
    EXPECT_EQ(keys.content_type, "application/jwk-set+json");
    const Json key = Json::parse(keys.body)["keys"][0];
    const Json header = Json::parse(decoded(parts_of(c.token())[0]));
    EXPECT_EQ(header["alg"], "ES256");
    EXPECT_EQ(header["kid"], key["kid"]);
    EXPECT_EQ(key["crv"], "P-256");
    EXPECT_EQ(decoded(string_at(key, "x")).size(), 32U);
    EXPECT_EQ(decoded(parts_of(c.token())[2]).size(), 64U);
}

}  // namespace
}  // namespace shed::test
