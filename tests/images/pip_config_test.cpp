#include "fakes/images/internal.hpp"

#include <gmock/gmock.h>

#include <set>

namespace shed::images {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

PipHost a_host() {
    PipHost host;
    host.read = [](const std::string&) { return std::nullopt; };
    return host;
}

std::string conf_of(const PipHost& host) { return pip_files(host).at("/etc/pip.conf"); }

TEST(PipFiles, OfAPlainMachineGoThroughTheGateway) {
    EXPECT_EQ(pip_files(a_host()),
              (FileContents{{"/etc/pip.conf",
                             "[global]\nbreak-system-packages = true\ndisable-pip-version-check = "
                             "true\nproxy = http://host.trainshed.internal:3128\n"
                             "trusted-host = host.trainshed.internal\n"}}));
}

TEST(PipFiles, AnIndexOnThisMachineHasTheGatewaysName) {
    PipHost host = a_host();
    host.files = {
        "[global]\nindex-url = http://me:pw@localhost:3141/root/pypi\n"
        "extra-index-url =\n    https://127.0.0.1/simple\n    https://pypi.corp/simple\n"
        "trusted-host = localhost:3141\n"};
    const std::string conf = conf_of(host);
    EXPECT_THAT(conf, HasSubstr("\nindex-url = "
                                "http://me:pw@host.trainshed.internal:3141/root/pypi\n"));
    EXPECT_THAT(conf, HasSubstr("\nextra-index-url = https://host.trainshed.internal/simple\n"
                                "    https://pypi.corp/simple\n"));
    EXPECT_THAT(conf, HasSubstr("\ntrusted-host = host.trainshed.internal\n"));
    EXPECT_THAT(conf, HasSubstr("\nproxy = http://host.trainshed.internal:3128\n"));
}

TEST(PipFiles, LaterFilesAndVariablesWin) {
    PipHost host = a_host();
    host.files = {"[global]\ntimeout = 1\nretries = 1\nindex-url: https://a/simple\n",
                  "# mine\n[install]\ntimeout = 2\n[global]\nretries = 2\ntimeout = 9\n"};
    EXPECT_THAT(conf_of(host), HasSubstr("\ntimeout = 2\n"));
    EXPECT_THAT(conf_of(host), HasSubstr("\nretries = 2\n"));
    host.variables = {{"PIP_DEFAULT_TIMEOUT", "3"}, {"PIP_INDEX_URL", "https://b/simple"}};
    EXPECT_THAT(conf_of(host), HasSubstr("\ntimeout = 3\n"));
    EXPECT_THAT(conf_of(host), HasSubstr("\nindex-url = https://b/simple\n"));
}

TEST(PipFiles, WhatIsForThisMachinesInstallationsStaysHere) {
    PipHost host = a_host();
    host.files = {
        "[global]\ntarget = /x\nuser = true\ncache-dir = /root/cache\nlog = /x\nrequire-virtualenv "
        "= true\nno-cache-dir = true\n[list]\nformat = columns\n"};
    const std::string conf = conf_of(host);
    for (const char* key : {"target", "user", "cache-dir = ", "log", "virtualenv", "format"}) {
        if (std::string(key) == "cache-dir = ") EXPECT_THAT(conf, Not(HasSubstr("\ncache-dir")));
        else EXPECT_THAT(conf, Not(HasSubstr(key)));
    }
    EXPECT_THAT(conf, HasSubstr("\nno-cache-dir = true\n"));
}

TEST(PipFiles, AProxyOfThisMachineIsUsedOneElsewhereIsTheGatewaysPart) {
    PipHost host = a_host();
    host.files = {"[global]\nproxy = http://127.0.0.1:8888\nindex-url = http://localhost/simple\n"};
    EXPECT_THAT(conf_of(host), HasSubstr("\nproxy = http://host.trainshed.internal:8888\n"));
    // That proxy knows what localhost is; it does not know the gateway's name.
    EXPECT_THAT(conf_of(host), HasSubstr("\nindex-url = http://localhost/simple\n"));
    host.files = {"[global]\nproxy = localhost:8888\n"};
    EXPECT_THAT(conf_of(host), HasSubstr("\nproxy = http://host.trainshed.internal:8888\n"));
    host.files = {"[global]\nproxy = http://proxy.corp:8080\n"};
    EXPECT_THAT(conf_of(host), HasSubstr("\nproxy = http://host.trainshed.internal:3128\n"));
}

TEST(PipFiles, ACertificateComesAlongWhenPodsWouldNotSeeIt) {
    PipHost host = a_host();
    host.read = [](const std::string& path) {
        return path == "/root/ca.pem" ? std::optional<std::string>("CERT") : std::nullopt;
    };
    host.variables = {{"PIP_CERT", "/etc/ssl/certs/ca-certificates.crt"}};
    EXPECT_THAT(conf_of(host), HasSubstr("\ncert = /etc/ssl/certs/ca-certificates.crt\n"));
    EXPECT_EQ(pip_files(host).size(), 1u);
    host.variables = {{"REQUESTS_CA_BUNDLE", "/root/ca.pem"}};
    const FileContents files = pip_files(host);
    ASSERT_EQ(files.size(), 2u);
    const auto& [path, content] = *files.rbegin();
    EXPECT_EQ(content, "CERT");
    EXPECT_THAT(files.at("/etc/pip.conf"), HasSubstr("\ncert = " + path + "\n"));
    host.variables = {{"PIP_CERT", "/root/unreadable.pem"}};
    EXPECT_THAT(conf_of(host), Not(HasSubstr("cert")));
}

TEST(PipFiles, LinksToPlacesPodsDoNotSeeAreLeftOut) {
    PipHost host = a_host();
    host.variables = {
        {"PIP_FIND_LINKS", "/opt/wheels /home/me/wheels file:///root/w http://localhost:8/w/"}};
    EXPECT_THAT(conf_of(host), HasSubstr("\nfind-links = /opt/wheels\n    "
                                         "http://host.trainshed.internal:8/w/\n"));
    EXPECT_THAT(conf_of(host), HasSubstr("\ntrusted-host = host.trainshed.internal\n"));
    EXPECT_THAT(conf_of(host), Not(HasSubstr("/home/me")));
    EXPECT_THAT(conf_of(host), Not(HasSubstr("/root/w")));
}

TEST(PipConfigPaths, AreThoseThatPipReads) {
    std::map<std::string, std::string> variables = {{"HOME", "/h"}};
    std::set<std::string> present = {"/etc/xdg/pip/pip.conf", "/etc/pip.conf", "/h/.pip/pip.conf",
                                     "/h/.config/pip/pip.conf", "/named"};
    const auto paths = [&] {
        return pip_config_paths([&](const char* name) { return variables[name]; },
                                [&](const std::string& path) { return present.contains(path); });
    };
    EXPECT_THAT(paths(), ElementsAre("/etc/xdg/pip/pip.conf", "/etc/pip.conf", "/h/.pip/pip.conf",
                                     "/h/.config/pip/pip.conf"));
    variables["PIP_CONFIG_FILE"] = "/named";
    EXPECT_THAT(paths(), ElementsAre("/etc/xdg/pip/pip.conf", "/etc/pip.conf", "/named"));
    variables["PIP_CONFIG_FILE"] = "/dev/null";
    EXPECT_THAT(paths(), ElementsAre());
}

}  // namespace
}  // namespace shed::images
