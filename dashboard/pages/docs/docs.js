/** Shows /openapi.json with Swagger UI. No validator badge: it would call out to the internet. */

globalThis.SwaggerUIBundle({ url: "/openapi.json", dom_id: "#docs", deepLinking: true, validatorUrl: null });
