#include "bench/model_file.hpp"

#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iterator>
#include <memory>
#include <utility>

#include "bench/networks.hpp"
#include "core/status.hpp"

namespace diffcert::bench {
namespace {

[[noreturn]] void unreadable(const std::string& path, const std::string& why) { throw Error(DC_BAD_ARGUMENT, path + ": " + why + "."); }

std::string read(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) unreadable(path, "cannot be read");
  return {std::istreambuf_iterator<char>(file), {}};
}

// JSON as far as headers have it: objects, lists, strings, numbers.
struct Json {
  std::string text;  // of a string or number
  std::vector<Json> list;
  std::map<std::string, Json> fields;
};

class Parser {
 public:
  Parser(const std::string& text, const std::string& path) : text_(text), path_(path) {}

  Json value() {
    Json json;
    const char c = next();
    if (c == '{') {
      if (next() == '}') return json;
      do {
        --at_;
        skip();
        std::string name = string();
        expect(':');
        json.fields.emplace(std::move(name), value());
      } while (more('}'));
    } else if (c == '[') {
      if (next() == ']') return json;
      do {
        --at_;
        json.list.push_back(value());
      } while (more(']'));
    } else if (c == '"') {
      --at_;
      json.text = string();
    } else {
      for (--at_; at_ < text_.size() && std::strchr(",]} \n\t", text_[at_]) == nullptr; ++at_) json.text += text_[at_];
    }
    return json;
  }

 private:
  void skip() {
    while (at_ < text_.size() && std::strchr(" \n\t\r", text_[at_]) != nullptr) ++at_;
  }
  char next() {
    skip();
    if (at_ >= text_.size()) unreadable(path_, "its header ends early");
    return text_[at_++];
  }
  void expect(char wanted) {
    if (next() != wanted) unreadable(path_, "its header is not JSON as expected");
  }
  // After an element: whether another one follows, whose first character then lies behind.
  bool more(char close) {
    const char c = next();
    if (c == close) return false;
    if (c != ',') unreadable(path_, "its header is not JSON as expected");
    next();
    return true;
  }
  std::string string() {
    expect('"');
    std::string out;
    while (at_ < text_.size() && text_[at_] != '"') {
      if (text_[at_] == '\\') ++at_;  // \" and \\ alone occur
      out += text_[at_++];
    }
    expect('"');
    return out;
  }

  const std::string& text_;
  const std::string& path_;
  std::size_t at_ = 0;
};

std::int32_t position(const std::string& name, std::initializer_list<const char*> names) {
  std::int32_t i = 0;
  for (const char* known : names) {
    if (name == known) return i;
    ++i;
  }
  throw Error(DC_BAD_ARGUMENT, "The configuration names '" + name + "', which is unknown.");
}

}  // namespace

TensorFile::TensorFile(const std::string& path) : path_(path), data_(read(path)) {
  std::uint64_t size = 0;
  if (data_.size() < sizeof size) unreadable(path_, "is too short");
  std::memcpy(&size, data_.data(), sizeof size);
  if (size > data_.size() - sizeof size) unreadable(path_, "its header is longer than the file");
  const std::string header = data_.substr(sizeof size, size);
  data_.erase(0, sizeof size + size);
  for (auto& [name, json] : Parser(header, path_).value().fields) {
    if (name == "__metadata__") {
      for (auto& [key, text] : json.fields) metadata_.emplace(key, text.text);
      continue;
    }
    Entry entry;
    entry.type = json.fields["dtype"].text;
    for (const Json& d : json.fields["shape"].list) entry.shape.push_back(std::atoll(d.text.c_str()));
    const auto& offsets = json.fields["data_offsets"].list;
    if (offsets.size() != 2) unreadable(path_, "the tensor '" + name + "' has no place");
    entry.begin = std::atoll(offsets[0].text.c_str()), entry.end = std::atoll(offsets[1].text.c_str());
    if (entry.begin < 0 || entry.begin > entry.end || entry.end > static_cast<std::int64_t>(data_.size())) {
      unreadable(path_, "the tensor '" + name + "' is not in the file");
    }
    entries_.emplace(name, entry);
  }
}

const TensorFile::Entry& TensorFile::entry(const std::string& name) const {
  const auto found = entries_.find(name);
  if (found == entries_.end()) unreadable(path_, "has no tensor '" + name + "'");
  return found->second;
}

template <class T>
std::vector<T> TensorFile::values(const std::string& name) const {
  const Entry& e = entry(name);
  const bool integers = e.type == "I64";
  if (!integers && e.type != "F32") unreadable(path_, "the tensor '" + name + "' is of type " + e.type);
  const std::size_t width = integers ? sizeof(std::int64_t) : sizeof(float);
  std::vector<T> out(static_cast<std::size_t>(e.end - e.begin) / width);
  for (std::size_t i = 0; i < out.size(); ++i) {
    const char* from = data_.data() + static_cast<std::size_t>(e.begin) + i * width;
    std::int64_t integer = 0;
    float real = 0;
    std::memcpy(integers ? static_cast<void*>(&integer) : &real, from, width);
    out[i] = integers ? static_cast<T>(integer) : static_cast<T>(real);
  }
  return out;
}
template std::vector<float> TensorFile::values(const std::string& name) const;
template std::vector<double> TensorFile::values(const std::string& name) const;
template std::vector<std::int32_t> TensorFile::values(const std::string& name) const;

dc_network_config TensorFile::config() const {
  const auto text = metadata_.find("config"), precond = metadata_.find("precond");
  if (text == metadata_.end() || precond == metadata_.end()) unreadable(path_, "has no configuration of a network");
  const Json json = Parser(text->second, path_).value();
  dc_network_config c = published_constants();
  const auto name = [&](const char* key, const char* otherwise) {
    const auto found = json.fields.find(key);
    return found == json.fields.end() ? std::string(otherwise) : found->second.text;
  };
  const auto number = [&](const char* key, std::int32_t otherwise) {
    const auto found = json.fields.find(key);
    return found == json.fields.end() ? otherwise : std::atoi(found->second.text.c_str());
  };
  const auto list = [&](const char* key, std::int32_t* to, std::int32_t& count) {
    const auto found = json.fields.find(key);
    if (found == json.fields.end()) return;
    count = 0;
    for (const Json& v : found->second.list) to[count++] = std::atoi(v.text.c_str());
  };
  c.architecture = position(name("model_type", ""), {"SongUNet", "DhariwalUNet"});
  c.precond = position(precond->second, {"EDMPrecond", "VPPrecond", "VEPrecond", "iDDPMPrecond"});
  c.img_resolution = number("img_resolution", 0);
  c.img_channels = number("img_channels", 0);
  c.label_dim = number("label_dim", 0);
  c.heads = number("heads", 1);
  c.augment_dim = number("augment_dim", 0);
  c.model_channels = number("model_channels", 0);
  c.channel_mult_emb = number("channel_mult_emb", 4);
  c.num_blocks = number("num_blocks", 0);
  c.channel_mult_noise = number("channel_mult_noise", 1);
  c.embedding_type = position(name("embedding_type", "positional"), {"positional", "fourier"});
  c.encoder_type = position(name("encoder_type", "standard"), {"standard", "skip", "residual"});
  c.decoder_type = position(name("decoder_type", "standard"), {"standard", "skip"});
  list("channel_mult", c.channel_mult, c.channel_mult_len);
  list("attn_resolutions", c.attn_resolutions, c.attn_resolutions_len);
  list("resample_filter", c.resample_filter, c.resample_filter_len);
  return c;
}

void TensorFile::fill(Network& network) const {
  for (const Weight& weight : network.weights()) {
    if (!weight.computed || has(weight.name)) network.set_weight(weight.name, values<float>(weight.name));
  }
}

std::vector<std::vector<std::uint8_t>> mnist_images(const std::string& path, std::int64_t count) {
  constexpr std::size_t kHeader = 16, kPixels = 28 * 28;
  const std::string data = read(path);
  if (data.size() < kHeader + static_cast<std::size_t>(count) * kPixels) unreadable(path, "holds fewer images than are asked for");
  std::vector<std::vector<std::uint8_t>> images;
  for (std::int64_t i = 0; i < count; ++i) {
    const auto from = data.begin() + static_cast<std::ptrdiff_t>(kHeader + static_cast<std::size_t>(i) * kPixels);
    images.emplace_back(from, from + static_cast<std::ptrdiff_t>(kPixels));
  }
  return images;
}

}  // namespace diffcert::bench
