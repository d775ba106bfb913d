// This machine's pip configuration as it must read inside a pod. There the only way out is the
// gateway: its proxy, and host.trainshed.internal for what listens on this machine's loopback.
#include "fakes/images/internal.hpp"

#include <algorithm>
#include <array>
#include <sstream>

namespace shed::images {

namespace {

constexpr const char* host_name = "host.trainshed.internal";
constexpr const char* gateway_proxy = "http://host.trainshed.internal:3128";
constexpr const char* pod_certificate = "/etc/ssl/trainshed/pip.pem";

// What reaches pods. Anything else concerns this machine's own installations, or its directories.
constexpr std::array as_they_are = {"cert",      "timeout",       "retries",
                                    "no-index",  "prefer-binary", "only-binary",
                                    "no-binary", "pre",           "no-cache-dir"};

using Settings = std::map<std::string, std::string>;

bool is_one_of(const auto& list, const std::string& key) {
    return std::find(list.begin(), list.end(), key) != list.end();
}

std::string trimmed(const std::string& text) {
    const auto begin = text.find_first_not_of(" \t\r"), end = text.find_last_not_of(" \t\r");
    return begin == std::string::npos ? "" : text.substr(begin, end - begin + 1);
}

std::string key_of(std::string key) {
    for (char& c : key) {
        if (c == '_') c = '-';
        else c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    }
    return key == "default-timeout" ? "timeout" : key;
}

bool is_comment(const std::string& line) { return line.starts_with('#') || line.starts_with(';'); }

// Python's configparser: [section], key = value or key: value, indented lines go on.
std::map<std::string, Settings> read_ini(const std::string& text) {
    std::map<std::string, Settings> sections;
    std::istringstream in(text);
    std::string section, key;
    for (std::string line; std::getline(in, line);) {
        const std::string words = trimmed(line);
        if (words.empty() || is_comment(words)) continue;
        if (words.front() == '[' && words.back() == ']') {
            section = words.substr(1, words.size() - 2);
            key.clear();
        } else if ((line.front() == ' ' || line.front() == '\t') && !key.empty()) {
            sections[section][key] += "\n" + words;
        } else if (const auto equals = words.find_first_of("=:"); equals != std::string::npos) {
            key = key_of(trimmed(words.substr(0, equals)));
            sections[section][key] = trimmed(words.substr(equals + 1));
        }
    }
    return sections;
}

void lay_over(Settings& settings, const Settings& more) {
    for (const auto& [key, value] : more) settings[key] = value;
}

// Of all files [global], then of all [install]; variables over both, as pip orders them.
Settings settings_of(const PipHost& host) {
    Settings global, install;
    for (const std::string& text : host.files) {
        auto sections = read_ini(text);
        lay_over(global, sections["global"]);
        lay_over(install, sections["install"]);
    }
    lay_over(global, install);
    for (const auto& [name, value] : host.variables)
        if (name.starts_with("PIP_") && !value.empty()) global[key_of(name.substr(4))] = value;
    for (const char* name : {"REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"}) {
        const auto found = host.variables.find(name);
        if (!global.contains("cert") && found != host.variables.end() && !found->second.empty())
            global["cert"] = found->second;
    }
    return global;
}

std::vector<std::string> words_of(const std::string& text) {
    std::istringstream in(text);
    std::vector<std::string> words;
    for (std::string word; in >> word;) words.push_back(word);
    return words;
}

struct Url {
    std::string scheme, user, host, port, rest;  // "https", "u:p@", "localhost", ":80", "/simple"
    std::string text() const { return scheme + "://" + user + host + port + rest; }
};

std::optional<Url> parse_url(const std::string& text) {
    const auto colons = text.find("://");
    if (colons == std::string::npos) return std::nullopt;
    Url url;
    url.scheme = text.substr(0, colons);
    const auto slash = std::min(text.find('/', colons + 3), text.size());
    std::string authority = text.substr(colons + 3, slash - colons - 3);
    url.rest = text.substr(slash);
    if (const auto at = authority.rfind('@'); at != std::string::npos) {
        url.user = authority.substr(0, at + 1);
        authority.erase(0, at + 1);
    }
    const auto bracket = authority.find(']');
    const auto colon = authority.find(':', bracket == std::string::npos ? 0 : bracket);
    url.host = authority.substr(0, colon);
    if (colon != std::string::npos) url.port = authority.substr(colon);
    return url;
}

bool is_loopback(const std::string& host) {
    return host == "localhost" || host == "[::1]" || host == "0.0.0.0" || host.starts_with("127.");
}

// Below these a pod sees what this machine has.
bool seen_by_pods(const std::string& path) {
    return path.starts_with("/etc/") || path.starts_with("/usr/") || path.starts_with("/opt/");
}

class Composer {
public:
    explicit Composer(const PipHost& host) : host_(host), settings_(settings_of(host)) {}

    FileContents files() {
        proxy();
        for (const char* key : {"index-url", "extra-index-url", "find-links"}) links(key);
        trusted_hosts();
        certificate();
        std::string text = "[global]\n";
        // PEP 668's refusal protects a distribution; a pod's user has only its own home to write.
        out_["break-system-packages"] = "true";
        out_["disable-pip-version-check"] = "true";
        for (const auto& [key, value] : settings_)
            if (is_one_of(as_they_are, key)) out_.try_emplace(key, value);
        for (const auto& [key, value] : out_) text += key + " = " + value + "\n";
        files_["/etc/pip.conf"] = text;
        return std::move(files_);
    }

private:
    // A proxy elsewhere is out of a pod's reach, so the gateway's stands for it too.
    void proxy() {
        out_["proxy"] = gateway_proxy;
        const auto found = settings_.find("proxy");
        if (found == settings_.end()) return;
        const bool has_scheme = found->second.find("://") != std::string::npos;
        auto url = parse_url(has_scheme ? found->second : "http://" + found->second);
        if (!is_loopback(url->host)) return;
        url->host = host_name;
        out_["proxy"] = url->text();
        own_proxy_ = true;
    }

    // To a proxy on this machine localhost means what it means to the user.
    std::string for_pods(const std::string& link) {
        auto url = parse_url(link);
        if (!url || !is_loopback(url->host) || own_proxy_) return link;
        url->host = host_name;
        return url->text();
    }

    void links(const char* key) {
        const auto found = settings_.find(key);
        if (found == settings_.end()) return;
        for (const std::string& link : words_of(found->second)) {
            const bool here = link.starts_with('/') || link.starts_with("file:");
            const std::string path = link.starts_with("file://") ? link.substr(7) : link;
            if (here && !seen_by_pods(path)) continue;
            add(key, for_pods(link));
        }
    }

    void trusted_hosts() {
        // What this machine serves is trusted as its localhost is, which pip never asks about; a
        // certificate made for localhost does not fit the new name either.
        trust(host_name);
        const auto found = settings_.find("trusted-host");
        if (found == settings_.end()) return;
        for (const std::string& entry : words_of(found->second)) {
            auto url = parse_url("http://" + entry);
            if (!is_loopback(url->host) || own_proxy_) trust(entry);
        }
    }

    void certificate() {
        const auto found = settings_.find("cert");
        if (found == settings_.end() || seen_by_pods(found->second)) return;
        const auto content = host_.read(found->second);
        settings_.erase(found);
        if (!content) return;
        files_[pod_certificate] = *content;
        out_["cert"] = pod_certificate;
    }

    void trust(const std::string& host) {
        if (std::find(trusted_.begin(), trusted_.end(), host) != trusted_.end()) return;
        trusted_.push_back(host);
        add("trusted-host", host);
    }

    void add(const std::string& key, const std::string& value) {
        std::string& all = out_[key];
        // One value a line, so that a space in a path stays one.
        all += (all.empty() || key == "index-url" ? "" : "\n    ") + value;
    }

    const PipHost& host_;
    Settings settings_, out_;
    FileContents files_;
    std::vector<std::string> trusted_;
    bool own_proxy_ = false;
};

}  // namespace

FileContents pip_files(const PipHost& host) { return Composer(host).files(); }

std::vector<std::string> pip_config_paths(
    const std::function<std::string(const char* variable)>& get,
    const std::function<bool(const std::string& path)>& exists) {
    const std::string named = get("PIP_CONFIG_FILE"), home = get("HOME");
    if (named == "/dev/null") return {};
    std::string config = get("XDG_CONFIG_HOME");
    if (config.empty()) config = home + "/.config";
    std::vector<std::string> paths;
    std::string folders = get("XDG_CONFIG_DIRS");
    if (folders.empty()) folders = "/etc/xdg";
    std::istringstream in(folders);
    for (std::string folder; std::getline(in, folder, ':');)
        if (!folder.empty()) paths.push_back(folder + "/pip/pip.conf");
    paths.push_back("/etc/pip.conf");
    // A file named by the variable replaces the user's own.
    const bool replaces = !named.empty() && exists(named);
    if (!replaces) {
        paths.push_back(home + "/.pip/pip.conf");
        paths.push_back(config + "/pip/pip.conf");
    }
    if (const std::string venv = get("VIRTUAL_ENV"); !venv.empty())
        paths.push_back(venv + "/pip.conf");
    if (replaces) paths.push_back(named);
    std::erase_if(paths, [&](const std::string& path) { return !exists(path); });
    return paths;
}

}  // namespace shed::images
