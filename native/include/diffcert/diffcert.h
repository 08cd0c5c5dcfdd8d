/* The C ABI of the native core: the only door between Java (or any other language) and native code.
 *
 * Opaque handles, status codes, pointer + length + shape. Nothing else crosses. Every function that can fail returns a
 * dc_status; the sentence for the user is in dc_last_error() of the same thread. No exception leaves this boundary.
 * Every pointer is checked against its length before it is read. Strings are UTF-8 and zero-terminated.
 *
 * Threads: a handle may be used by one thread at a time; different handles are independent. The caller (the Java binding)
 * serialises calls on one handle and keeps a model open while a classifier uses it. */
#ifndef DIFFCERT_DIFFCERT_H
#define DIFFCERT_DIFFCERT_H

#include <stdint.h>

#if defined(__GNUC__)
#define DC_API __attribute__((visibility("default")))
#else
#define DC_API
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* Raised whenever a function is added or removed, or a signature, a struct or an enum below changes meaning; the binding refuses any other number. */
#define DC_ABI_VERSION 10

/* Kept in step with org.diffcert.diffusion.NativeStatus; a test walks both. */
typedef enum dc_status {
  DC_OK = 0,
  DC_BAD_ARGUMENT = 1,        /* a value, length or shape that the function does not take */
  DC_BAD_MODEL = 2,           /* tensors missing, unknown or of another shape than the configuration asks for */
  DC_OUT_OF_MEMORY = 3,       /* host or device memory */
  DC_DEVICE_UNAVAILABLE = 4,  /* the device asked for is not there */
  DC_DEVICE_LOST = 5,         /* the device failed while it worked */
  DC_INTERNAL = 6             /* a broken invariant of ours */
} dc_status;

typedef struct dc_model dc_model;           /* a network with its weights on a device, planned */
typedef struct dc_classifier dc_classifier; /* a diffusion classifier: models, levels, weights, noise law */

/* The description of a network; field names are the published constructors' options (EDM, training/networks.py). */
typedef struct dc_network_config {
  int32_t architecture;     /* 0 SongUNet, 1 DhariwalUNet */
  int32_t precond;          /* 0 EDMPrecond, 1 VPPrecond, 2 VEPrecond, 3 iDDPMPrecond */
  int32_t img_resolution;
  int32_t img_channels;     /* channels of the image; iDDPM's network has twice as many outputs, which is derived */
  int32_t label_dim;        /* 0 = unconditional, or several heads */
  int32_t heads;            /* 1; or classes + 1: the last convolution gives an image for each class, and last one for no class (docs/spec/multihead.md) */
  int32_t augment_dim;      /* 0 = no map_augment; at inference the augment labels are absent, which equals zeros */
  int32_t model_channels;
  int32_t channel_mult_len;
  int32_t channel_mult[16];
  int32_t channel_mult_emb;
  int32_t num_blocks;
  int32_t attn_resolutions_len;
  int32_t attn_resolutions[16];
  int32_t embedding_type;   /* 0 positional, 1 fourier (SongUNet) */
  int32_t channel_mult_noise;
  int32_t encoder_type;     /* 0 standard, 1 skip, 2 residual */
  int32_t decoder_type;     /* 0 standard, 1 skip */
  int32_t resample_filter_len;
  int32_t resample_filter[16];
  /* Preconditioner constants; the binding fills in the published defaults. */
  double sigma_data;                       /* EDM: 0.5 */
  double beta_d, beta_min;                 /* VP: 19.9, 0.1 */
  double epsilon_t;                        /* VP: 1e-5 */
  double c_1, c_2;                         /* iDDPM: 0.001, 0.008 */
  int32_t m;                               /* VP, iDDPM: 1000 */
} dc_network_config;

DC_API uint32_t dc_abi_version(void);
/* Compiler, instruction sets compiled in, the one chosen at run time, CUDA or why not: one line, static storage. */
DC_API const char* dc_build_info(void);
/* The sentence of the last failure on this thread, or "". */
DC_API const char* dc_last_error(void);
/* 64-bit digest (hex) of this very build of the native code, for provenance. */
DC_API const char* dc_build_digest(void);

/* device: "cpu", "reference" (float64, slow), "cuda", "cuda:i", several ("cuda:0,cuda:1") or all of them ("cuda:all"); for tests "emulator" in
 * the same forms. Writes one line about it (truncated to capacity). docs/spec/devices.md. */
DC_API dc_status dc_device_describe(const char* device, char* text, int64_t capacity);
/* What of the device can change the bits of a vote, for provenance: "cpu", "reference", "cuda-9.0" (the compute capability chooses the
 * kernels), "emulator". The same for one and for several. A model made with isa "bf16" gives other bits: whoever keeps provenance adds "-bf16". */
DC_API dc_status dc_device_identity(const char* device, char* text, int64_t capacity);
/* Names the file of a kind's library of kernels ("cuda", "emulator"), for whatever is opened first of that kind from now on. Without it, and where
 * DIFFCERT_DEVICE_PATH names no directory, it is looked for beside this library. */
DC_API dc_status dc_device_library(const char* kind, const char* file);

/* ---- models ------------------------------------------------------------------------------------------------------- */

/* Starts a model: checks the configuration and plans the network. threads <= 0 means one a core.
 * isa: NULL or "" = best of this machine, or "portable", "avx2", "avx512" to force one (refused if the machine lacks it); no bit depends on it. On
 * a device of kernels ("cuda", "emulator") it is the form: "" or "fp32", or "bf16" (feature maps in memory, and products, in bf16), whose bits are others. */
DC_API dc_status dc_model_create(const dc_network_config* config, const char* device, int32_t threads, const char* isa,
                                 dc_model** model);
/* Kept in step with org.diffcert.diffusion.Gradients. */
typedef enum dc_gradients {
  DC_GRADIENTS_NONE = 0,
  DC_GRADIENTS_IMAGE = 1,     /* by the image */
  DC_GRADIENTS_WEIGHTS = 2    /* by the image and by the weights */
} dc_gradients;

/* Before the first tensor: the model can go backwards, too. row_bytes: what of a row the working memory may take, 0 = as much as it needs;
 * beyond it the insides of blocks are computed again rather than kept, which changes no bit. */
DC_API dc_status dc_model_differentiate(dc_model* model, dc_gradients gradients, int64_t row_bytes);
/* The tensors that the configuration asks for: count, then name, shape (up to 4, rank in *rank) of each. */
DC_API dc_status dc_model_tensor_count(const dc_model* model, int64_t* count);
DC_API dc_status dc_model_tensor_info(const dc_model* model, int64_t index, const char** name, int64_t shape[4], int32_t* rank);
/* Copies (and packs, where the device wants it) one tensor. Data are float32, row-major, finite. Each name once. */
DC_API dc_status dc_model_set_tensor(dc_model* model, const char* name, const float* data, int64_t count);
/* Every tensor set? Then the model can run. max_batch: the largest batch a call may have, 0 = what suits the device (docs/spec/devices.md); the
 * arena is sized here, once. */
DC_API dc_status dc_model_finish(dc_model* model, int64_t max_batch);
/* The largest batch of a finished model. */
DC_API dc_status dc_model_max_batch(const dc_model* model, int64_t* max_batch);
/* Bytes held: weights as packed, and the arena. */
DC_API dc_status dc_model_memory(const dc_model* model, int64_t* weight_bytes, int64_t* arena_bytes);
/* D(x; sigma, label) for n images: x and denoised are [n, img_channels, R, R] float32 in EDM space, sigma [n] > 0,
 * labels [n] in [0, classes) or -1 for unconditional (NULL = all unconditional); classes: label_dim, or heads - 1. Rows do not influence each other: a row's
 * bits are the same in every batch, at every place, with every number of threads. An image may hold values that are not finite:
 * its own result then means nothing, the other rows' stand. */
DC_API dc_status dc_model_denoise(dc_model* model, int64_t n, const float* x, const double* sigma, const int32_t* labels,
                                  float* denoised);
/* The same for images that lie where the model computes: x and denoised are addresses of [n, img_channels, R, R] float32 each in the memory of
 * the model's device (cudaMalloc's, of any CUDA runtime in the process; the host's for "cpu"), and may be the same. What is in flight on x must be done before;
 * denoised is there when the call returns. A model on several devices is refused. An address that is not the device's is DC_BAD_ARGUMENT. */
DC_API dc_status dc_model_denoise_resident(dc_model* model, int64_t n, uint64_t x, const double* sigma, const int32_t* labels,
                                           uint64_t denoised);
/* The same without preconditioning: F(x; noise_label, label); output has 2*img_channels channels under iDDPM, heads*img_channels with several heads. */
DC_API dc_status dc_model_network(dc_model* model, int64_t n, const float* x, const float* noise_label, const int32_t* labels,
                                  float* output);
/* The vector-Jacobian product of dc_model_denoise: gradient [n, img_channels, R, R] of sum(cotangent * denoised) by x, for a model made for
 * gradients. cotangent is as x; denoised and gradient may be NULL. Rows do not influence each other. Gradients by the weights, where the model
 * was made for them, are added to those of the calls before, row by row: neither batches nor threads show in them. */
DC_API dc_status dc_model_vector_jacobian(dc_model* model, int64_t n, const float* x, const double* sigma, const int32_t* labels,
                                          const float* cotangent, float* denoised, float* gradient);
/* The gradient by one tensor, row-major in its published shape; zeros for one that is not learnt. */
DC_API dc_status dc_model_gradient(const dc_model* model, const char* name, double* gradient, int64_t count);
/* Sets the gradients by the weights to zero, as they are in the beginning. */
DC_API dc_status dc_model_clear_gradients(dc_model* model);
DC_API void dc_model_close(dc_model* model);

/* ---- memory of a device, for callers that have no CUDA of their own ------------------------------------------------------ */

typedef struct dc_buffer dc_buffer; /* float32 values in a device's memory */

DC_API dc_status dc_buffer_create(const char* device, int64_t values, dc_buffer** buffer);
DC_API dc_status dc_buffer_address(const dc_buffer* buffer, uint64_t* address);
/* Values [from, from + count) of the buffer; waits until they are there. */
DC_API dc_status dc_buffer_write(dc_buffer* buffer, int64_t from, const float* values, int64_t count);
DC_API dc_status dc_buffer_read(dc_buffer* buffer, int64_t from, float* values, int64_t count);
DC_API void dc_buffer_close(dc_buffer* buffer);

/* ---- the ELBO with explicit noise ------------------------------------------------------------------------------------ */

/* Kept in step with org.diffcert.schedule.ClassifierKind. */
typedef enum dc_classifier_kind {
  DC_DC = 0,                 /* diffusion classifier on the input as it is */
  DC_EPNDC = 1,              /* exact posterior noised diffusion classifier */
  DC_APNDC = 2,              /* target: unconditional denoised estimate; noise around x_tau (the paper's text) */
  DC_APNDC_CONDITIONAL = 3,  /* as 2 with the class-conditional estimate as target */
  DC_APNDC_ENSEMBLE = 4      /* dc around the unconditional denoised estimate (the released script) */
} dc_classifier_kind;

/* residual[c * levels + i] = mean over pixels of the squared difference at level i for class c, before weights.
 * x is [C,R,R] in EDM space: x_tau, or the clean image for DC. sigma_tau is in EDM space (ignored by DC).
 * lower, upper: [levels]; level_noise: [levels, C, R, R]. unconditional may be NULL (then model with label -1 is used). */
DC_API dc_status dc_elbo(dc_model* model, dc_model* unconditional, dc_classifier_kind kind, int32_t clamp, double sigma_tau,
                         const double* x, int64_t levels, const double* lower, const double* upper, const double* level_noise,
                         double* residual);

/* The loss of DC (the sum over levels of weight * residual) for each of label_count labels (-1 = unconditional), and its gradient by x:
 * loss [label_count], gradient [label_count, C, R, R]. The model was made for gradients. One label at a time in memory. */
DC_API dc_status dc_elbo_gradient(dc_model* model, int32_t clamp, const double* x, int64_t levels, const double* upper, const double* weights,
                                  const double* level_noise, int32_t label_count, const int32_t* labels, double* loss, double* gradient);

/* The loss of DC of every class and, unless gradient is NULL, the gradient [C, R, R] by x of the sum over classes of coefficients[c] * loss[c]; loss
 * [classes]. A multi-head model takes one row a level for all classes there and back. Another goes class by class, and leaves those of coefficient 0 out:
 * their loss is NaN. Without a gradient coefficients is NULL, every loss is computed, and the model need not be made for gradients. */
DC_API dc_status dc_elbo_pull(dc_model* model, int32_t clamp, const double* x, int64_t levels, const double* upper, const double* weights,
                              const double* level_noise, const double* coefficients, double* loss, double* gradient);

/* ---- votes: the hot path ------------------------------------------------------------------------------------------- */

/* One smoothing level tau of a classifier and its weights. */
typedef struct dc_tau {
  double sigma;              /* [0,1] pixel units; EDM space is twice that */
  int64_t threshold_count;   /* integer noise: see docs/spec/noise.md; 0 = float noise (by name only) or path noise */
  const uint64_t* thresholds;
  int32_t threshold_origin;  /* the noise value below the first threshold */
  int32_t clip_low;          /* the sum image + noise is clipped to [clip_low, clip_high] in 1/255 units */
  int32_t clip_high;
  int64_t levels;
  const double* lower;       /* [levels] in EDM space; read by EPNDC alone */
  const double* upper;       /* [levels] in EDM space: where the network is called */
  const double* weights;     /* [levels] */
  /* The levels that sift, coarser and fewer; read by DC_PRUNE_PUBLISHED alone. Their noise has the positions after the levels above. */
  int64_t sift_levels;
  const double* sift_lower;  /* [sift_levels] as above */
  const double* sift_upper;
  const double* sift_weights;
} dc_tau;

typedef enum dc_noise_mode {
  DC_NOISE_INTEGER = 0, /* rounded Gaussian from threshold tables: sound */
  DC_NOISE_PATH = 1,    /* integer noise of several sigmas along one Brownian path: sound, one pass serves all (EPNDC) */
  DC_NOISE_FLOAT = 2    /* plain float noise, for comparison with published runs: not sound */
} dc_noise_mode;

/* Kept in step with org.diffcert.noise.Phase: disjoint counters for choosing the class, bounding it, predicting. */
typedef enum dc_phase { DC_SELECT = 1, DC_ESTIMATE = 2, DC_PREDICT = 3 } dc_phase;

/* Kept in step with org.diffcert.diffusion.Pruning. What each does is in docs/spec/pruning.md. */
typedef enum dc_prune_kind {
  DC_PRUNE_NONE = 0,      /* every class at every level */
  DC_PRUNE_PUBLISHED = 1, /* sift, then refine */
  DC_PRUNE_PAIRED = 2     /* successive elimination on paired differences */
} dc_prune_kind;

/* Fewer network calls: classes are dropped while a vote is made. A part of the classifier, as its levels are. */
typedef struct dc_prune {
  dc_prune_kind kind;
  double threshold; /* published: a class goes when its sifting sum exceeds the least by more; finite, not negative */
  int32_t keep;     /* published: sifting ends when so few classes are left, or leaves the best so many; at least 1 */
  double error;     /* paired: nominal probability of dropping the class of least loss, 0 (nothing is dropped) to 0.5 */
} dc_prune;

/* Copies everything it is given. taus ascending in sigma. With DC_NOISE_PATH all taus share one list of levels (and of sifting levels): a tau
 * uses the levels with weight > 0. prune: NULL = none. batch <= 0 = chosen from max_batch. The models must stay open while the classifier is. */
DC_API dc_status dc_classifier_create(dc_model* model, dc_model* unconditional, dc_classifier_kind kind, int32_t clamp,
                                      dc_noise_mode noise, uint64_t seed, int32_t tau_count, const dc_tau* taus, const dc_prune* prune,
                                      int64_t batch, dc_classifier** classifier);
/* Votes of samples [from, to) of one image: votes[t * (to - from) + j] is the class voted at tau t by sample from + j, or -1
 * where the sample counts for no class (an ambiguous noise draw, a value that is not finite). image is [C,R,R] uint8.
 * A vote is a pure function of (models, classifier, image bytes, image id, phase, sample): see docs/spec/reduction-order.md.
 * calls[j], unless calls is NULL: the network calls (one row of a batch = one call) that sample from + j took, at all taus together. */
DC_API dc_status dc_classifier_votes(dc_classifier* classifier, const uint8_t* image, int64_t image_bytes, uint32_t image_id,
                                     dc_phase phase, uint32_t from, uint32_t to, int32_t* votes, int64_t* calls);
/* Network calls that one sample costs at all taus together; with pruning the most that it can. */
DC_API dc_status dc_classifier_calls_per_sample(const dc_classifier* classifier, int64_t* calls);
/* Losses per class of one sample, as the vote compares them: losses[t * classes + c]; a loss that is not finite is NaN. With pruning:
 * +infinity for a class that was dropped; the loss of one that was left alone covers the levels computed by then; NaN for every class at a tau
 * where a value was not finite. For tests and inspection. */
DC_API dc_status dc_classifier_losses(dc_classifier* classifier, const uint8_t* image, int64_t image_bytes, uint32_t image_id,
                                      dc_phase phase, uint32_t sample, double* losses);
DC_API void dc_classifier_close(dc_classifier* classifier);

/* ---- training ---------------------------------------------------------------------------------------------------------- */

typedef struct dc_trainer dc_trainer; /* a network that is trained: weights, Adam's moments, the running average */

typedef enum dc_loss_kind { DC_LOSS_EDM = 0, DC_LOSS_VP = 1, DC_LOSS_VE = 2 } dc_loss_kind;

typedef struct dc_train_options {
  dc_loss_kind loss;
  double level_mean, level_deviation; /* EDM: of the normal law of ln s, published -1.2 and 1.2; others do not read them */
  uint64_t seed;          /* of initial weights, noise levels, noise and dropped labels */
  double learning_rate;
  double warmup_images;   /* the rate grows from 0 in so many images */
  double decay_images;    /* and falls, as half a cosine, to final_rate at so many; 0 = it does not fall */
  double final_rate;
  double beta_1, beta_2, epsilon;
  double average_images;  /* half-life of the average in images */
  double average_share;   /* but at most so much of the images seen; 0 = no limit */
  double label_dropout;   /* probability that an image is shown without its label */
  double dropout;         /* of features within each residual block, 0 to 0.9 */
  int32_t augment;        /* 1: images come with augmentation labels; the configuration's augment_dim is above 0 */
} dc_train_options;

typedef enum dc_train_tensor {
  DC_TRAIN_WEIGHT = 0,
  DC_TRAIN_FIRST_MOMENT = 1,
  DC_TRAIN_SECOND_MOMENT = 2,
  DC_TRAIN_AVERAGE = 3 /* the finished model */
} dc_train_tensor;

/* A network with the published initial weights. rows: what goes through it at once; row_bytes as dc_model_differentiate. */
DC_API dc_status dc_trainer_create(const dc_network_config* config, const char* device, int32_t threads, const char* isa,
                                   const dc_train_options* options, int64_t rows, int64_t row_bytes, dc_trainer** trainer);
/* One step on a batch of any size: images [n, C, R, R] in EDM space (x / 127.5 - 1), labels [n] in [0, label_dim) or -1 (NULL = none shown);
 * augment [n, augment_dim]: what was done to each image (NULL = nothing, which zeros say, too).
 * loss: the mean over elements of the weighted squares. A pure function of the state, the options and the batch: neither rows nor threads show. */
DC_API dc_status dc_trainer_step(dc_trainer* trainer, int64_t n, const float* images, const int32_t* labels, const float* augment, double* loss);
/* One step of distillation of a multi-head network: a row's loss is the weighted sum over `heads` of its heads (its label's, and others drawn by keys) of
 * |D_head - D_teacher|^2 at the same noised image (docs/spec/training.md). The teacher is a finished model of the same classes and images. */
DC_API dc_status dc_trainer_distil(dc_trainer* trainer, dc_model* teacher, int32_t heads, int64_t n, const float* images, const int32_t* labels,
                                   double* loss);
/* For losses that the caller computes. D(x; sigma, label) with the present weights: rows, places and levels as dc_model_denoise, values finite. */
DC_API dc_status dc_trainer_denoise(dc_trainer* trainer, int64_t n, const double* sigma, const int32_t* labels, const float* x, float* denoised);
/* One step of Adam with cotangent [n, C, R, R], the loss's gradient by D(x; sigma, label) of n rows that are made of `images` images. */
DC_API dc_status dc_trainer_step_cotangent(dc_trainer* trainer, int64_t images, int64_t n, const double* sigma, const int32_t* labels,
                                           const float* x, const float* cotangent);
/* The state, for checkpoints: images shown, steps made, and the tensors of dc_trainer_tensor_info; a state that was set goes on to the same bits. */
DC_API dc_status dc_trainer_progress(const dc_trainer* trainer, int64_t* images, int64_t* steps);
DC_API dc_status dc_trainer_set_progress(dc_trainer* trainer, int64_t images, int64_t steps);
DC_API dc_status dc_trainer_tensor_count(const dc_trainer* trainer, int64_t* count);
/* learnt: 0 for a tensor that the configuration determines, which has no values here. */
DC_API dc_status dc_trainer_tensor_info(const dc_trainer* trainer, int64_t index, const char** name, int64_t shape[4], int32_t* rank,
                                        int32_t* learnt);
DC_API dc_status dc_trainer_get(const dc_trainer* trainer, dc_train_tensor kind, const char* name, float* values, int64_t count);
DC_API dc_status dc_trainer_set(dc_trainer* trainer, dc_train_tensor kind, const char* name, const float* values, int64_t count);
DC_API void dc_trainer_close(dc_trainer* trainer);

/* ---- noise, for the equality tests between languages ------------------------------------------------------------------ */

DC_API void dc_philox(const uint32_t counter[4], uint64_t key, uint32_t out[4]);
/* The integer noise (before the clip) of elements [0, count) of one sample; ambiguous: 1 if any draw was. */
DC_API dc_status dc_integer_noise(const dc_tau* tau, uint64_t seed, uint32_t image_id, dc_phase phase, uint32_t sample,
                                  int64_t count, int32_t* noise, int32_t* ambiguous);
/* Standard normals of the ELBO noise at one level, elements [0, count). */
DC_API dc_status dc_level_noise(uint64_t seed, uint32_t image_id, dc_phase phase, uint32_t sample, uint32_t level, int64_t count,
                                double* noise);
/* Path noise: rounded positions (before the clip) of elements [0, count) at each of tau_count sigmas; noise[t * count + e]. */
DC_API dc_status dc_path_noise(int32_t tau_count, const double* sigmas, uint64_t seed, uint32_t image_id, dc_phase phase,
                               uint32_t sample, int64_t count, int32_t* noise, int32_t* ambiguous);

#ifdef __cplusplus
}
#endif
#endif
