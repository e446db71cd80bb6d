/**
 * A dataset of prompts to a dataset of images, on Apache Spark.
 *
 * <p>Every executor loads the model once, not once per partition, and keeps it for a while; a row's
 * image depends on the row alone, so a task that is run again gives the same bytes.
 *
 * <p>Limits: one image per row; the bundle must be readable under the same path on every executor.
 *
 * @since 0.1
 */
package io.jitflow.spark;
