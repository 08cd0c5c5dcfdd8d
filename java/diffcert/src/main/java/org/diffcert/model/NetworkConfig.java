package org.diffcert.model;

import java.util.List;
import java.util.Locale;
import org.diffcert.DiffcertException;
import org.diffcert.file.Json;

/**
 * The description of a network by the options of its published constructor (EDM, {@code training/networks.py}): the
 * preconditioner and the U-Net inside it. Instances are checked: whatever exists has sizes that fit each other and
 * can be planned.
 *
 * @param architecture the U-Net's class
 * @param precond the preconditioner around it
 * @param imgResolution side of the square image in pixels
 * @param imgChannels channels of the image; iDDPM's U-Net has twice as many outputs
 * @param labelDim number of classes that the network is told of, 0 for an unconditional or a multi-head network
 * @param heads images that the last convolution gives: 1, or one for each class and a last one for no class
 * @param augmentDim length of the augmentation label, 0 for none; at inference the label is absent, which equals zeros
 * @param modelChannels base width
 * @param channelMult width of each resolution over the base width, finest first
 * @param channelMultEmb width of the embedding over the base width
 * @param numBlocks residual blocks a resolution in the encoder; the decoder has one more
 * @param attnResolutions resolutions with self-attention
 * @param dropout dropout probability of training; inference ignores it
 * @param labelDropout label dropout probability of training; inference ignores it
 * @param embedding the noise level's embedding (SongUNet)
 * @param channelMultNoise width of that embedding over the base width (SongUNet)
 * @param encoder the encoder's auxiliary path (SongUNet)
 * @param decoder the decoder's auxiliary path (SongUNet)
 * @param resampleFilter the one-dimensional resampling filter (SongUNet; [1,1] for DhariwalUNet)
 * @param sigmaData EDM preconditioner: standard deviation of the data, 0.5
 * @param betaD VP preconditioner: 19.9
 * @param betaMin VP preconditioner: 0.1
 * @param epsilonT VP preconditioner: 1e-5
 * @param c1 iDDPM preconditioner: 0.001
 * @param c2 iDDPM preconditioner: 0.008
 * @param m VP and iDDPM preconditioners: number of discrete steps, 1000
 */
public record NetworkConfig(Unet architecture, Precond precond, int imgResolution, int imgChannels, int labelDim,
    int heads, int augmentDim, int modelChannels, List<Integer> channelMult, int channelMultEmb, int numBlocks,
    List<Integer> attnResolutions, double dropout, double labelDropout, Embedding embedding, int channelMultNoise,
    Encoder encoder, Decoder decoder, List<Integer> resampleFilter,
    double sigmaData, double betaD, double betaMin, double epsilonT, double c1, double c2, int m) {

  /** The U-Nets; the ordinal is the number in the C ABI. */
  public enum Unet {
    /** DDPM++ and NCSN++. */
    SONG("SongUNet"),
    /** ADM. */
    DHARIWAL("DhariwalUNet");

    private final String published;

    Unet(String published) {
      this.published = published;
    }

    /**
     * The published class name.
     *
     * @return the name
     */
    public String published() {
      return published;
    }
  }

  /** The preconditioners; the ordinal is the number in the C ABI. */
  public enum Precond {
    /** Elucidated diffusion. */
    EDM("EDMPrecond", Unet.DHARIWAL),
    /** Variance preserving. */
    VP("VPPrecond", Unet.SONG),
    /** Variance exploding. */
    VE("VEPrecond", Unet.SONG),
    /** Improved DDPM. */
    IDDPM("iDDPMPrecond", Unet.DHARIWAL);

    private final String published;
    private final Unet usual;

    Precond(String published, Unet usual) {
      this.published = published;
      this.usual = usual;
    }

    /**
     * The published class name.
     *
     * @return the name
     */
    public String published() {
      return published;
    }

    /**
     * The U-Net that the published constructor takes where none is named.
     *
     * @return the U-Net
     */
    public Unet usualUnet() {
      return usual;
    }

    /**
     * Finds a preconditioner by its published class name.
     *
     * @param name the name
     * @return the preconditioner
     * @throws DiffcertException BAD_INPUT for an unknown name
     */
    public static Precond named(String name) {
      for (Precond precond : values()) {
        if (precond.published.equals(name)) {
          return precond;
        }
      }
      throw DiffcertException.badInput("the preconditioner \"" + ConfigReader.shorten(name)
          + "\" is unknown; known are EDMPrecond, VPPrecond, VEPrecond and iDDPMPrecond");
    }
  }

  /** How the noise level enters; the ordinal is the number in the C ABI. */
  public enum Embedding {
    /** Sines and cosines of fixed frequencies. */
    POSITIONAL,
    /** Sines and cosines of random frequencies, which are stored with the weights. */
    FOURIER
  }

  /** The encoder's auxiliary path; the ordinal is the number in the C ABI. */
  public enum Encoder {
    /** None. */
    STANDARD,
    /** The image, downsampled and added through a 1x1 convolution. */
    SKIP,
    /** The image, downsampled by learned convolutions and added. */
    RESIDUAL
  }

  /** The decoder's auxiliary path; the ordinal is the number in the C ABI. */
  public enum Decoder {
    /** None. */
    STANDARD,
    /** Each resolution adds to an image that is upsampled on the way. */
    SKIP
  }

  /**
   * Checks every value and that they fit each other.
   *
   * @param architecture the U-Net's class
   * @param precond the preconditioner around it
   * @param imgResolution side of the square image in pixels
   * @param imgChannels channels of the image; iDDPM's U-Net has twice as many outputs
   * @param labelDim number of classes that the network is told of, 0 for an unconditional or a multi-head network
   * @param heads images that the last convolution gives: 1, or one for each class and a last one for no class
   * @param augmentDim length of the augmentation label, 0 for none; at inference the label is absent, which
   *     equals zeros
   * @param modelChannels base width
   * @param channelMult width of each resolution over the base width, finest first
   * @param channelMultEmb width of the embedding over the base width
   * @param numBlocks residual blocks a resolution in the encoder; the decoder has one more
   * @param attnResolutions resolutions with self-attention
   * @param dropout dropout probability of training; inference ignores it
   * @param labelDropout label dropout probability of training; inference ignores it
   * @param embedding the noise level's embedding (SongUNet)
   * @param channelMultNoise width of that embedding over the base width (SongUNet)
   * @param encoder the encoder's auxiliary path (SongUNet)
   * @param decoder the decoder's auxiliary path (SongUNet)
   * @param resampleFilter the one-dimensional resampling filter (SongUNet; [1,1] for DhariwalUNet)
   * @param sigmaData EDM preconditioner: standard deviation of the data, 0.5
   * @param betaD VP preconditioner: 19.9
   * @param betaMin VP preconditioner: 0.1
   * @param epsilonT VP preconditioner: 1e-5
   * @param c1 iDDPM preconditioner: 0.001
   * @param c2 iDDPM preconditioner: 0.008
   * @param m VP and iDDPM preconditioners: number of discrete steps, 1000
   */
  public NetworkConfig {
    channelMult = List.copyOf(channelMult);
    attnResolutions = List.copyOf(attnResolutions);
    resampleFilter = List.copyOf(resampleFilter);
    ConfigLimits.check("img_resolution", imgResolution, 4, 1024);
    ConfigLimits.check("img_channels", imgChannels, 1, 64);
    ConfigLimits.check("label_dim", labelDim, 0, 1_000_000);
    ConfigLimits.check("heads", heads, 1, 1 << 16);
    ConfigLimits.check("augment_dim", augmentDim, 0, 4096);
    ConfigLimits.check("model_channels", modelChannels, 4, 4096);
    ConfigLimits.check("channel_mult_emb", channelMultEmb, 1, 64);
    ConfigLimits.check("num_blocks", numBlocks, 1, 64);
    ConfigLimits.check("channel_mult_noise", channelMultNoise, 1, 64);
    ConfigLimits.check("M", m, 1, 1_000_000);
    ConfigLimits.check("channel_mult", channelMult, 1, 16, 1, 64);
    ConfigLimits.check("attn_resolutions", attnResolutions, 0, 16, 1, 1024);
    ConfigLimits.check("resample_filter", resampleFilter, 2, 16, 1, 1 << 20);
    ConfigLimits.check("dropout", dropout, 0, 1);
    ConfigLimits.check("label_dropout", labelDropout, 0, 1);
    ConfigLimits.check("sigma_data", sigmaData, 1e-6, 1e6);
    ConfigLimits.check("beta_d", betaD, 1e-6, 1e6);
    ConfigLimits.check("beta_min", betaMin, 1e-9, 1e6);
    ConfigLimits.check("epsilon_t", epsilonT, 1e-12, 0.5);
    ConfigLimits.check("C_1", c1, 1e-12, 1);
    ConfigLimits.check("C_2", c2, 1e-12, 1);
    ConfigLimits.fit(precond, labelDim, heads);
    ConfigLimits.fit(architecture, imgResolution, modelChannels, channelMult, channelMultNoise, encoder, decoder,
        embedding, resampleFilter);
  }

  /**
   * Reads a configuration.
   *
   * @param precond the published class name of the preconditioner
   * @param json an object with the published options; absent keys have the published constructors' defaults
   * @return the checked configuration
   * @throws DiffcertException BAD_INPUT, one sentence naming the key, where a key is unknown or a value does not fit
   */
  public static NetworkConfig parse(String precond, Json json) {
    return ConfigReader.read(Precond.named(precond), json);
  }

  /**
   * Reads a configuration from text.
   *
   * @param precond the published class name of the preconditioner
   * @param json the text of a JSON object, see {@link #parse(String, Json)}
   * @return the checked configuration
   */
  public static NetworkConfig parse(String precond, String json) {
    return parse(precond, Json.parse(json, "the network configuration"));
  }

  /**
   * A published configuration by name.
   *
   * @param name one of {@link Presets#names()}
   * @return the configuration
   * @throws DiffcertException USAGE for an unknown name
   */
  public static NetworkConfig preset(String name) {
    return Presets.named(name);
  }

  /**
   * Side of the image at the coarsest resolution.
   *
   * @return pixels
   */
  public int coarsestResolution() {
    return imgResolution >> channelMult.size() - 1;
  }

  /**
   * Outputs of the U-Net itself: an image for each head; twice the image's channels under iDDPM.
   *
   * @return channels
   */
  public int outChannels() {
    return precond == Precond.IDDPM ? 2 * imgChannels : heads * imgChannels;
  }

  /**
   * Whether the network has a head for each class, so that one pass gives the images of all (docs/spec/multihead.md).
   *
   * @return whether it has several heads
   */
  public boolean multiHead() {
    return heads > 1;
  }

  /**
   * The classes whose labels the network takes, by its label or by its heads.
   *
   * @return their number, 0 for an unconditional network
   */
  public int classes() {
    return multiHead() ? heads - 1 : labelDim;
  }

  /**
   * This network with a head for each class and one for no class instead of a label.
   *
   * @param classes how many classes, at least 1
   * @return the multi-head network
   * @throws DiffcertException BAD_INPUT under iDDPM, or where there are too many classes
   */
  public NetworkConfig withHeads(int classes) {
    return parse(precond.published(), toJson().put("label_dim", 0).put("label_dropout", 0.0).put("heads", classes + 1));
  }

  /**
   * The options as the published constructors take them, every one that the architecture and preconditioner have.
   *
   * @return an object that {@link #parse(String, Json)} reads back to an equal configuration
   */
  public Json toJson() {
    Json json = function();
    json.put("dropout", dropout);
    if (labelDropout != 0) {
      json.put("label_dropout", labelDropout);
    }
    return json;
  }

  /**
   * The canonical text of everything that the network's function depends on (training options left out); digests are
   * made of it.
   *
   * @return JSON without white space, keys in a fixed order
   */
  public String canonical() {
    return Json.object().put("precond", precond.published()).put("config", function()).write();
  }

  private Json function() {
    Json json = Json.object().put("model_type", architecture.published()).put("img_resolution", imgResolution)
        .put("img_channels", imgChannels).put("label_dim", labelDim);
    if (multiHead()) {
      json.put("heads", heads);
    }
    json.put("augment_dim", augmentDim).put("model_channels", modelChannels).put("channel_mult",
        channelMult).put("channel_mult_emb", channelMultEmb)
        .put("num_blocks", numBlocks).put("attn_resolutions", attnResolutions);
    if (architecture == Unet.SONG) {
      json.put("embedding_type", word(embedding)).put("channel_mult_noise", channelMultNoise)
          .put("encoder_type", word(encoder))
          .put("decoder_type", word(decoder)).put("resample_filter", resampleFilter);
    }
    switch (precond) {
      case EDM -> json.put("sigma_data", sigmaData);
      case VP -> json.put("beta_d", betaD).put("beta_min", betaMin).put("M", m).put("epsilon_t", epsilonT);
      case IDDPM -> json.put("C_1", c1).put("C_2", c2).put("M", m);
      case VE -> { }
    }
    return json;
  }

  private static String word(Enum<?> value) {
    return value.name().toLowerCase(Locale.ROOT);
  }

  /**
   * The normalised resampling filter, outer product over the square of the sum, as the published code makes it.
   *
   * @return row-major, length of the filter squared
   */
  public float[] resampleKernel() {
    int length = resampleFilter.size();
    int sum = resampleFilter.stream().mapToInt(Integer::intValue).sum();
    float[] kernel = new float[length * length];
    for (int i = 0; i < length; i++) {
      for (int j = 0; j < length; j++) {
        kernel[i * length + j] = (float) resampleFilter.get(i) * resampleFilter.get(j) / ((float) sum * sum);
      }
    }
    return kernel;
  }

  /**
   * The levels u_0..u_M of the iDDPM preconditioner, from its definition.
   *
   * @return M + 1 levels, falling, the last 0
   */
  public double[] iddpmLevels() {
    double[] u = new double[m + 1];
    for (int j = m; j > 0; j--) {
      double ratio = Math.max(alphaBar(j - 1) / alphaBar(j), c1);
      u[j - 1] = Math.sqrt((u[j] * u[j] + 1) / ratio - 1);
    }
    return u;
  }

  private double alphaBar(int j) {
    double s = Math.sin(0.5 * Math.PI * j / m / (c2 + 1));
    return s * s;
  }

  @Override
  public String toString() {
    return canonical();
  }
}
