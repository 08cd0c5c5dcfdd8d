/** uint8 images and the readers of image data. */
package org.diffcert.image;
