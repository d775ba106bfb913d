#include "fakes/podinit/dns.hpp"

#include "fakes/podinit/protocol.hpp"
#include "fakes/podinit/util.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <cctype>
#include <cstring>

namespace shed::podinit {

namespace {

constexpr std::size_t header_size = 12;
constexpr unsigned type_a = 1, type_any = 255;
constexpr unsigned class_in = 1, class_any = 255;
constexpr unsigned code_format_error = 1, code_name_error = 3, code_not_implemented = 4, code_refused = 5;
constexpr std::uint32_t ttl_seconds = 5;

struct Question {
    std::string name;  // lower case, no last dot
    unsigned type = 0, class_ = 0;
    std::size_t end = 0;  // of the question in the packet
};

unsigned get16(const std::string& packet, std::size_t at) {
    return static_cast<unsigned>(static_cast<unsigned char>(packet[at]) << 8 |
                                 static_cast<unsigned char>(packet[at + 1]));
}

// RFC 1035 4.1.2; compression does not occur in questions.
bool parse_question(const std::string& packet, Question& question) {
    std::size_t at = header_size;
    while (at < packet.size()) {
        const auto length = static_cast<unsigned char>(packet[at]);
        if (length == 0) break;
        if (length > 63 || at + 1 + length >= packet.size()) return false;
        if (!question.name.empty()) question.name.push_back('.');
        for (std::size_t i = at + 1; i <= at + length; ++i)
            question.name.push_back(static_cast<char>(std::tolower(static_cast<unsigned char>(packet[i]))));
        at += length + 1u;
    }
    if (at + 5 > packet.size()) return false;
    question.type = get16(packet, at + 1);
    question.class_ = get16(packet, at + 3);
    question.end = at + 5;
    return true;
}

void put16(std::string& out, unsigned value) {
    out.push_back(static_cast<char>(value >> 8 & 0xff));
    out.push_back(static_cast<char>(value & 0xff));
}

// RFC 1035 4.1.1: a response, authoritative, recursion as asked and available.
std::string head_of_reply(const std::string& query, unsigned code, unsigned questions, unsigned answers) {
    std::string reply = query.substr(0, 2);
    put16(reply, 0x8480u | (static_cast<unsigned>(query[2]) & 0x01u) << 8 | code);
    for (const unsigned count : {questions, answers, 0u, 0u}) put16(reply, count);
    return reply;
}

}  // namespace

std::string NameServer::open() {
    socket_ = ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(53);
    ::inet_pton(AF_INET, dns_address, &address.sin_addr);
    if (socket_ < 0 || ::bind(socket_, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0)
        return failure("bind the name server");
    return "";
}

std::string NameServer::load(const std::string& path) {
    std::string text;
    if (!read_text(path.c_str(), text)) return failure("read " + path);
    std::map<std::string, std::string, std::less<>> fresh;
    for (const std::string& line : split(text, '\n')) {
        const auto words = split(line, ' ');
        if (words.size() == 2) fresh[words[0]] = words[1] == "-" ? "" : words[1];
    }
    addresses_.swap(fresh);
    return "";
}

void NameServer::answer_one() {
    char buffer[1500];
    sockaddr_in peer{};
    socklen_t peer_size = sizeof peer;
    const ssize_t n = ::recvfrom(socket_, buffer, sizeof buffer, 0, reinterpret_cast<sockaddr*>(&peer), &peer_size);
    if (n <= 0) return;
    const std::string reply = reply_to(std::string(buffer, static_cast<std::size_t>(n)));
    if (!reply.empty())
        ::sendto(socket_, reply.data(), reply.size(), 0, reinterpret_cast<sockaddr*>(&peer), peer_size);
}

std::string NameServer::reply_to(const std::string& query) const {
    if (query.size() < header_size || (query[2] & 0x80) != 0) return "";
    if ((query[2] & 0x78) != 0) return head_of_reply(query, code_not_implemented, 0, 0);
    Question question;
    if (get16(query, 4) != 1 || !parse_question(query, question))
        return head_of_reply(query, code_format_error, 0, 0);
    const auto found = addresses_.find(question.name);
    unsigned code = found == addresses_.end() ? code_name_error : 0;
    if (question.class_ != class_in && question.class_ != class_any) code = code_refused;
    const bool answer = code == 0 && !found->second.empty() &&
                        (question.type == type_a || question.type == type_any);
    std::string reply = head_of_reply(query, code, 1, answer ? 1 : 0);
    reply += query.substr(header_size, question.end - header_size);
    if (!answer) return reply;
    put16(reply, 0xc000u | header_size);  // The name is that of the question.
    put16(reply, type_a);
    put16(reply, class_in);
    put16(reply, ttl_seconds >> 16);
    put16(reply, ttl_seconds & 0xffff);
    put16(reply, 4);
    in_addr address{};
    ::inet_pton(AF_INET, found->second.c_str(), &address);
    reply.append(reinterpret_cast<const char*>(&address), 4);
    return reply;
}

}  // namespace shed::podinit
