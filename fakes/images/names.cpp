// Image names as containerd reads them, and the patterns of the catalogue.
#include "fakes/images/internal.hpp"

#include <algorithm>

namespace shed::images {

namespace {

bool is_registry(std::string_view first) {
    return first == "localhost" || first.find_first_of(".:") != std::string_view::npos;
}

// docker.io is said in several ways, and its own images by their last word alone.
std::string with_registry(const std::string& repository) {
    const auto slash = repository.find('/');
    const std::string first = repository.substr(0, slash);
    if (slash == std::string::npos) return "docker.io/library/" + repository;
    if (!is_registry(first)) return "docker.io/" + repository;
    const bool hub = first == "docker.io" || first == "index.docker.io";
    if (!hub) return repository;
    const std::string rest = repository.substr(slash + 1);
    return rest.find('/') == std::string::npos ? "docker.io/library/" + rest : "docker.io/" + rest;
}

// Splits off "@digest" and ":tag"; a colon before the last slash is a port.
ImageName split(std::string_view text) {
    ImageName name;
    if (const auto at = text.find('@'); at != std::string_view::npos) {
        name.digest = text.substr(at + 1);
        text = text.substr(0, at);
    }
    const auto colon = text.rfind(':');
    if (colon != std::string_view::npos && text.find('/', colon) == std::string_view::npos) {
        name.tag = text.substr(colon + 1);
        text = text.substr(0, colon);
    }
    name.repository = text;
    return name;
}

bool all(std::string_view text, std::string_view punctuation, bool upper) {
    return std::all_of(text.begin(), text.end(), [&](char c) {
        return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
               (upper && c >= 'A' && c <= 'Z') || punctuation.find(c) != std::string_view::npos;
    });
}

bool valid_repository(const std::string& repository) {
    if (repository.empty() || repository.size() > 255) return false;
    const auto slash = repository.find('/');
    const bool registry = slash != std::string::npos && is_registry(repository.substr(0, slash));
    const std::string path = registry ? repository.substr(slash + 1) : repository;
    if (registry && !all(repository.substr(0, slash), ".-:", true)) return false;
    const bool hollow = path.empty() || path.front() == '/' || path.back() == '/' ||
                        path.find("//") != std::string::npos;
    return !hollow && all(path, "._-/", false);
}

Error invalid_name(std::string_view image) {
    return {Reason::invalid,
            "couldn't parse image name \"" + std::string(image) + "\": invalid reference format"};
}

}  // namespace

std::string ImageName::text() const {
    return repository + (tag.empty() ? "" : ":" + tag) + (digest.empty() ? "" : "@" + digest);
}

Result<ImageName> parse_image_name(std::string_view image) {
    ImageName name = split(image);
    const bool has_digest = image.find('@') != std::string_view::npos;
    const bool tag_missing = name.tag.empty() && image.ends_with(':');
    if (!valid_repository(name.repository) || tag_missing || name.tag.size() > 128 ||
        !all(name.tag, "._-", true))
        return invalid_name(image);
    if (has_digest && (name.digest.find(':') == std::string::npos || !all(name.digest, ":", false)))
        return invalid_name(image);
    name.repository = with_registry(name.repository);
    if (name.tag.empty() && !has_digest) name.tag = "latest";
    return name;
}

bool glob(std::string_view pattern, std::string_view text) {
    // On a mismatch the last star takes one character more: no recursion, no blow-up.
    std::size_t p = 0, t = 0, star = std::string_view::npos, after_star = 0;
    while (t < text.size()) {
        if (p < pattern.size() && pattern[p] == '*') {
            star = p++;
            after_star = t;
        } else if (p < pattern.size() && (pattern[p] == text[t] || pattern[p] == '?')) {
            ++p;
            ++t;
        } else if (star != std::string_view::npos) {
            p = star + 1;
            t = ++after_star;
        } else {
            return false;
        }
    }
    while (p < pattern.size() && pattern[p] == '*') ++p;
    return p == pattern.size();
}

bool fits(std::string_view pattern, const ImageName& name) {
    const ImageName wanted = split(pattern);
    const bool any_registry = wanted.repository.starts_with('*');
    const std::string repository =
        any_registry ? wanted.repository : with_registry(wanted.repository);
    if (!glob(repository, name.repository)) return false;
    if (!wanted.digest.empty()) return glob(wanted.digest, name.digest);
    return wanted.tag.empty() || glob(wanted.tag, name.tag);
}

}  // namespace shed::images
